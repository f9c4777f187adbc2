import Testing

@testable import Tensor

@testable import Model

/// A place to try layers on: memory, workers, random numbers and parameters, all of which live until the body ends.
///
/// `Matrix` and `Parameter` are views of memory that somebody else owns, and Swift lets go of an owner after its last use:
/// everything that a test looks at belongs to its bench.
final class Bench {
  let context: Context
  private var random: RandomStream
  private var kept: [AnyObject] = []

  private init(threads: Int, seed: UInt64) {
    context = Context(pool: WorkerPool(threads: threads))
    random = RandomStream(seed: seed, purpose: .initialization)
  }

  static func run<Result>(threads: Int = 1, seed: UInt64 = 1, _ body: (Bench) throws -> Result) rethrows -> Result {
    let bench = Bench(threads: threads, seed: seed)
    return try withExtendedLifetime(bench) { try body(bench) }
  }

  /// Uniform in −scale ..< scale.
  func number(_ scale: Float = 1) -> Float { (2 * random.uniform() - 1) * scale }

  /// A matrix of random numbers; with a stride, what lies between the rows is random too.
  func matrix(_ rows: Int, _ columns: Int, stride: Int? = nil, scale: Float = 1) -> Matrix {
    let stride = stride ?? columns
    let values = context.arena.floats(rows * stride)
    for index in 0..<rows * stride { values[index] = number(scale) }
    return Matrix(values, rows: rows, columns: columns, stride: stride)
  }

  func zeros(_ rows: Int, _ columns: Int) -> Matrix {
    let matrix = context.matrix(rows, columns)
    matrix.setToZero()
    return matrix
  }

  func copy(_ matrix: Matrix) -> Matrix {
    let copy = context.matrix(matrix.rows, matrix.columns)
    copy.copy(from: matrix)
    return copy
  }

  /// Parameters of random values, with gradients.
  func parameters(_ specifications: [TensorSpecification], trainable: Bool = true) throws -> ParameterStore {
    let store = try ParameterStore(specifications) { _, specification in
      .fill { values in
        for index in 0..<specification.count { values[index] = self.number(0.5) }
        // Norms near one, so that no row disappears.
        if specification.role == .normGain { for index in 0..<specification.count { values[index] += 1 } }
      }
    }
    if trainable { store.makeTrainable() }
    kept.append(store)
    return store
  }

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
    kept.append(network)
    return network
  }

  /// A sample of random tokens with these mask positions.
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

/// Compares a gradient with central differences in every coordinate; the worst is judged by the largest.
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

/// The same for a parameter.
func expectDifferences(
  of parameter: Parameter, tolerance: Double = 1e-3, loss: () throws -> Double,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  try expectDifferences(
    parameter.name, of: parameter.matrix, are: try #require(parameter.gradient), tolerance: tolerance, loss: loss,
    sourceLocation: sourceLocation)
}

extension Matrix {
  var array: [Float] { (0..<rows).flatMap { row in (0..<columns).map { self[row][$0] } } }
  /// Equality of bits, NaN and signs of zero included.
  var bits: [UInt32] { array.map(\.bitPattern) }
}

extension Network {
  /// The loss of one batch.
  func evaluate(_ batch: Batch, _ context: Context) -> LossSums {
    var sums = LossSums()
    forEachLogits(batch, context) { rows, logits in
      sums += CrossEntropy.evaluate(logits, labels: batch.labels[rows], weights: batch.weights[rows], context.pool)
    }
    return sums
  }
}
