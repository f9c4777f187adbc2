import TestSupport
import Testing

@testable import Model
@testable import Tensor

extension Bench {
  private func parameter(_ name: String, _ shape: [Int], _ role: TensorSpecification.Role) throws -> Parameter {
    let specification = TensorSpecification(name: name, shape: shape, role: role)
    return try parameters([specification]).parameters[0]
  }

  func dense(_ output: Int, _ input: Int) throws -> Dense {
    Dense(weight: try parameter("weight", [output, input], .kernel), bias: try parameter("bias", [output], .bias))
  }

  func embedding(_ rows: Int, _ width: Int) throws -> Parameter {
    try parameter("embedding", [rows, width], .embedding)
  }

  func norm(_ width: Int, epsilon: Float = 1e-5) throws -> LayerNorm {
    LayerNorm(
      gain: try parameter("gain", [width], .normGain), bias: try parameter("bias", [width], .normBias), epsilon: epsilon
    )
  }

  func network(_ configuration: Configuration, trainable: Bool = true) throws -> Network {
    let network = try Network(
      configuration, parameters(configuration.parameterTable.specifications, trainable: trainable))
    keep(network)
    return network
  }

  /// Returns a sample of random tokens with these mask positions.
  func sample(_ length: Int, masks: [Int], _ configuration: Configuration) -> Sample {
    func token() -> Int32 { Int32(random.below(configuration.vocabularySize)) }
    return Sample(
      tokenIDs: (0..<length).map { _ in token() }, maskPositions: masks.map { Int32($0) },
      labels: masks.map { _ in token() },
      weights: masks.map { _ in 0.5 + random.uniform() })
  }
}

/// Σ c · y: a loss whose gradient with respect to y is c.
func weighted(_ y: Matrix, _ c: Matrix) -> Double {
  var sum = 0.0
  for row in 0..<y.rows { for column in 0..<y.columns { sum += Double(y[row][column]) * Double(c[row][column]) } }
  return sum
}

/// Compares a gradient with central differences in every coordinate; the tolerance is relative to the largest.
func expectDifferences(
  _ name: String, of x: Matrix, are dx: Matrix, tolerance: Double = 1e-3, loss: () throws -> Double,
  sourceLocation: SourceLocation = #_sourceLocation
) rethrows {
  let step: Float = 1e-2
  var (worst, largest) = (0.0, 0.0)
  for row in 0..<x.rows {
    for column in 0..<x.columns {
      let value = x[row][column]
      x[row][column] = value + step
      let (above, high) = (x[row][column], try loss())
      x[row][column] = value - step
      let (below, low) = (x[row][column], try loss())
      x[row][column] = value
      let expected = (high - low) / Double(above - below)
      let difference = abs(expected - Double(dx[row][column]))
      worst = difference.isNaN ? .infinity : max(worst, difference)
      largest = max(largest, abs(expected))
    }
  }
  #expect(
    worst <= tolerance * largest + 2e-4, "\(name): off by \(worst), largest \(largest)", sourceLocation: sourceLocation)
}

/// Compares a parameter's gradient with central differences.
func expectDifferences(
  of parameter: Parameter, tolerance: Double = 1e-3, loss: () throws -> Double,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  try expectDifferences(
    parameter.name, of: parameter.matrix, are: try #require(parameter.gradient), tolerance: tolerance, loss: loss,
    sourceLocation: sourceLocation)
}

extension Network {
  /// Returns the loss of one batch.
  func evaluate(_ batch: Batch, _ context: Context) -> LossSums {
    var sums = LossSums()
    forEachLogits(batch, context) { rows, logits in
      sums += CrossEntropy.evaluate(logits, labels: batch.labels[rows], weights: batch.weights[rows], context.pool)
    }
    return sums
  }
}

extension OpenBLAS {
  /// Whether OpenBLAS uses a kernel whose order of additions is known.
  static let hasMeasuredKernel = kernel != .other
}

let otherKernel: Comment = "OpenBLAS uses a kernel here whose order of additions is not known"
