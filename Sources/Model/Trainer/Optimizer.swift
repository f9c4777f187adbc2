import Glibc
import Synchronization
import Tensor

/// Keras' optimizers Adam and AdamW, with its defaults.
///
/// (Kingma and Ba 2015; Loshchilov and Hutter 2019; the formulas as Keras writes them.)
public struct Optimizer: Sendable, Equatable {
  /// Adam, or Adam with decoupled weight decay (AdamW).
  public enum Algorithm: String, Sendable, CaseIterable {
    /// Kingma and Ba 2015. Weight decay, if any, is that of AdamW.
    case adam
    /// Loshchilov and Hutter 2019.
    case adamw
  }

  /// The algorithm.
  public var algorithm: Algorithm
  /// The peak learning rate; a `Schedule` scales it.
  public var learningRate: Float
  /// The share of the first moment that a step keeps.
  public var beta1: Float
  /// The share of the second moment that a step keeps.
  public var beta2: Float
  /// The ε added to the uncorrected √v.
  public var epsilon: Float
  /// The share of a decaying parameter that a step at learning rate 1 removes. Biases and layer norms do not decay.
  public var weightDecay: Float
  /// The largest global norm of the gradient; nil for no clipping.
  public var clipNorm: Float?

  /// Returns Keras' `Adam`, with BERT's learning rate.
  public static func adam(
    learningRate: Float = 5e-5, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-7,
    weightDecay: Float = 0, clipNorm: Float? = nil
  ) -> Optimizer {
    Optimizer(
      algorithm: .adam, learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
      weightDecay: weightDecay, clipNorm: clipNorm)
  }

  /// Returns Keras' `AdamW`, with a weight decay of 0.01.
  public static func adamW(
    learningRate: Float = 5e-5, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-7,
    weightDecay: Float = 0.01, clipNorm: Float? = nil
  ) -> Optimizer {
    Optimizer(
      algorithm: .adamw, learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
      weightDecay: weightDecay, clipNorm: clipNorm)
  }
}

/// Adam's moments and the number of steps taken.
///
///     α = lr · √(1 − β2ᵗ) / (1 − β1ᵗ)
///     m += (g − m)(1 − β1)     v += (g² − v)(1 − β2)     p −= lr · decay · p     p −= α · m / (√v + ε)
final class OptimizerState {
  private let firstMoments, secondMoments: ZeroedMemory
  /// The number of updates so far.
  var steps = 0
  private var reach = WeightReach()

  /// The two averages of the gradient, by their names in a checkpoint.
  enum Moment: String, CaseIterable {
    case first = "first_moment"
    case second = "second_moment"

    func name(of parameter: Parameter) -> String { rawValue + "." + parameter.name }
  }

  init(_ parameters: ParameterStore) {
    (firstMoments, secondMoments) = (
      ZeroedMemory(floats: parameters.blockSize), ZeroedMemory(floats: parameters.blockSize)
    )
  }

  func values(_ moment: Moment, of parameter: Parameter) -> UnsafeMutablePointer<Float> {
    (moment == .first ? firstMoments : secondMoments).floats + parameter.offset
  }

  /// Returns the moments of all trainable parameters for a checkpoint. They must outlive the result.
  func tensorSources(_ parameters: ParameterStore) -> [TensorSource] {
    Moment.allCases.flatMap { moment in
      parameters.parameters.filter(\.isTrainable).map {
        TensorSource(name: moment.name(of: $0), shape: $0.specification.shape, values: values(moment, of: $0))
      }
    }
  }

  /// Returns the square root of the sum of all squared gradients. A tensor that is used twice counts once.
  static func gradientNorm(_ parameters: ParameterStore, _ pool: WorkerPool) -> Double {
    // Pieces of a fixed size, added up in order, give the same result for any number of threads.
    let pieces = Self.pieces(parameters)
    var sums = [Double](repeating: 0, count: pieces.count)
    sums.withUnsafeMutableBufferPointer { sums in
      nonisolated(unsafe) let sums = sums
      pool.forEach(pieces.count) { _, index in
        let (gradients, count) = (pieces[index].gradients, pieces[index].count)
        sums[index] = Elementwise.sumOfSquares(gradients, count)
      }
    }
    return sums.reduce(0, +).squareRoot()
  }

  /// The largest weight. No weight of a working model is close to it, and with smaller weights no activation overflows,
  /// for any input.
  static let largestWeight: Float = 1000

  /// Updates every trainable parameter. Overwrites the gradients with the old parameters.
  ///
  /// - Parameter scale: a factor for the gradients (for clipping).
  /// - Returns: false if the step would make a weight NaN, or larger than both `largestWeight` and its old value.
  ///   Parameters and moments are then unchanged, to the last bit.
  func step(
    _ parameters: ParameterStore, _ optimizer: Optimizer, learningRate: Float, scale: Float, _ pool: WorkerPool
  ) -> Bool {
    steps += 1
    let (beta1, beta2) = (Double(optimizer.beta1), Double(optimizer.beta2))
    let rate = Float(
      Double(learningRate) * (1 - pow(beta2, Double(steps))).squareRoot() / (1 - pow(beta1, Double(steps))))
    let pieces = Self.pieces(parameters)
    let isTooLarge = Atomic<Bool>(false)
    let (first, second) = (firstMoments.floats, secondMoments.floats)
    // The old parameters replace the gradients; the old moments are kept only if the step can be refused.
    let isSafe = reach.add(optimizer, learningRate: learningRate, steps: steps) { Self.largestMagnitude(pieces, pool) }
    let oldMoments = isSafe ? nil : (copy(of: firstMoments, parameters), copy(of: secondMoments, parameters))
    pool.forEach(pieces.count) { _, index in
      let piece = pieces[index]
      let step = AdamStep(
        keep1: Float(1 - beta1), keep2: Float(1 - beta2), epsilon: optimizer.epsilon, rate: rate, scale: scale,
        decay: 1 - (piece.decays ? learningRate * optimizer.weightDecay : 0))
      let largest = Elementwise.adam(
        piece.values, piece.gradients, first: first + piece.offset, second: second + piece.offset, piece.count, step)
      if largest > Self.largestWeight.bitPattern { isTooLarge.store(true, ordering: .relaxed) }
    }
    guard isTooLarge.load(ordering: .relaxed) else { return true }
    steps -= 1
    pool.forEach(pieces.count) { _, index in
      pieces[index].values.update(from: pieces[index].gradients, count: pieces[index].count)
    }
    if let oldMoments {
      first.update(from: oldMoments.0.floats, count: parameters.blockSize)
      second.update(from: oldMoments.1.floats, count: parameters.blockSize)
    }
    return false
  }

  /// Resets the known reach of the weights. Call it when parameters may have changed other than by steps.
  func forgetReach() { reach = WeightReach() }

  private func copy(of memory: ZeroedMemory, _ parameters: ParameterStore) -> ZeroedMemory {
    let copy = ZeroedMemory(floats: parameters.blockSize)
    copy.floats.update(from: memory.floats, count: parameters.blockSize)
    return copy
  }

  private static func largestMagnitude(_ pieces: [Piece], _ pool: WorkerPool) -> Float {
    var largest = [UInt32](repeating: 0, count: pieces.count)
    largest.withUnsafeMutableBufferPointer { largest in
      nonisolated(unsafe) let largest = largest
      pool.forEach(pieces.count) { _, index in
        var bits: UInt32 = 0
        for offset in 0..<pieces[index].count { bits = max(bits, pieces[index].values[offset].magnitude.bitPattern) }
        largest[index] = bits
      }
    }
    return Float(bitPattern: largest.max() ?? 0)
  }

  private struct Piece: @unchecked Sendable {
    let values, gradients: UnsafeMutablePointer<Float>
    let offset, count: Int
    let decays: Bool
  }

  private static let pieceSize = 1 << 16

  private static func pieces(_ parameters: ParameterStore) -> [Piece] {
    var pieces: [Piece] = []
    for parameter in parameters.parameters {
      guard let gradients = parameter.gradient?.start else { continue }
      for start in stride(from: 0, to: parameter.count, by: pieceSize) {
        pieces.append(
          Piece(
            values: parameter.values + start, gradients: gradients + start, offset: parameter.offset + start,
            count: min(pieceSize, parameter.count - start), decays: parameter.specification.decays))
      }
    }
    return pieces
  }
}
