import Files
import Text

/// The divisor of the gradient's loss. Reported losses are always per masked token.
public enum LossReduction: String, Sendable, CaseIterable {
  /// The sum of the weights of the masked tokens in the whole optimizer step.
  case maskedMean = "masked-mean"
  /// Samples × mask slots, including unused ones (Keras' `sum_over_batch_size`).
  case sumOverBatchSize = "sum-over-batch-size"
}

/// Runs optimizer steps on a network: gradients of one or more batches, clipping, update.
final class TrainingStep {
  let network: Network
  let compute: Compute
  let state: OptimizerState
  var optimizer: Optimizer
  let reduction: LossReduction
  let seed: UInt64

  init(_ network: Network, _ compute: Compute, _ optimizer: Optimizer, _ reduction: LossReduction, seed: UInt64) {
    network.parameters.makeTrainable()
    self.network = network
    self.compute = compute
    self.optimizer = optimizer
    self.reduction = reduction
    self.seed = seed
    state = OptimizerState(network.parameters)
  }

  struct Result {
    var sums: LossSums
    /// The norm before clipping; 0 if no token was masked, which skips the update.
    var gradientNorm: Double
  }

  /// Runs one step on samples, `batchSize` of them at a time. The result does not depend on the batch size (except for
  /// rounding): the divisor is that of all samples, and dropout depends on a sample's index in the step.
  ///
  /// Throws if loss or gradient is not finite, or if the update is too large; parameters and moments are then
  /// unchanged.
  ///
  /// - Parameter step: the number of the step for errors, since not every step makes an update; nil: the number of the
  ///   update.
  func run(
    _ samples: [Sample], batchSize: Int, learningRate: Float, step: Int? = nil
  ) throws(TrainingError) -> Result {
    let divisor =
      switch reduction {
      case .maskedMean: samples.reduce(0) { $0 + $1.weights.reduce(0) { $0 + Double($1) } }
      case .sumOverBatchSize: samples.reduce(0) { $0 + Double($1.slots) }
      }
    guard divisor > 0, samples.contains(where: { !$0.maskPositions.isEmpty }) else {
      return Result(sums: LossSums(), gradientNorm: 0)
    }
    let number = state.steps + 1
    let step = step ?? number
    let pool = compute.pool
    let key = DropoutKey(seed: seed, step: number)
    network.parameters.clearGradients(on: pool)
    var sums = LossSums()
    for start in stride(from: 0, to: samples.count, by: batchSize) {
      var batch = Batch()
      for index in start..<start + min(samples.count - start, batchSize) {
        // A sample without a masked token adds nothing to the gradient.
        guard !samples[index].maskPositions.isEmpty else { continue }
        batch.append(samples[index], key: UInt32(truncatingIfNeeded: index))
      }
      compute.joint.arena.reset()
      sums += network.addGradients(batch, lossFactor: Float(1 / divisor), key, compute.joint)
    }
    network.parameters.clearStaleGradients(on: pool)
    let norm = OptimizerState.gradientNorm(network.parameters, pool)
    guard sums.loss.isFinite else { throw .lossIsNotFinite(step: step, learningRate: learningRate) }
    guard norm.isFinite else { throw .gradientIsNotFinite(step: step, learningRate: learningRate) }
    var scale: Float = 1
    if let limit = optimizer.clipNorm, norm > Double(limit) { scale = Float(Double(limit) / norm) }
    guard state.step(network.parameters, optimizer, learningRate: learningRate, scale: scale, pool) else {
      throw .updateTooLarge(step: step, learningRate: learningRate)
    }
    if learningRate != 0 { network.parameters.noteStep() }
    return Result(sums: sums, gradientNorm: norm)
  }
}

/// An error in a training step. Parameters and moments are those before the step, the last that are known to be good.
public enum TrainingError: ModelError, Equatable {
  /// The loss is no longer finite.
  case lossIsNotFinite(step: Int, learningRate: Float)
  /// The loss is finite, but its gradient is not.
  case gradientIsNotFinite(step: Int, learningRate: Float)
  /// The update was too large, and was undone.
  case updateTooLarge(step: Int, learningRate: Float)

  public var kind: ErrorKind { .training }
  public var message: String {
    switch self {
    case .lossIsNotFinite(let step, let rate):
      "the loss is not a finite number at step \(step), learning rate \(Self.text(rate)); training stopped"
    case .gradientIsNotFinite(let step, let rate):
      "the gradient is not finite at step \(step), learning rate \(Self.text(rate)); training stopped"
    case .updateTooLarge(let step, let rate):
      "the update of step \(step), learning rate \(Self.text(rate)), made weights not finite or larger than "
        + "\(Int(OptimizerState.largestWeight)); training stopped"
    }
  }

  private static func text(_ rate: Float) -> String { FloatText.significant(Double(rate), digits: 6) }

  /// The number of steps before the failed one.
  public var goodSteps: Int {
    switch self {
    case .lossIsNotFinite(let step, _), .gradientIsNotFinite(let step, _), .updateTooLarge(let step, _):
      max(0, step - 1)
    }
  }

  public var hint: String? {
    if case .updateTooLarge = self { return "try a lower learning rate" }
    return goodSteps > 0
      ? "try a lower learning rate, or clip the gradients to a norm of 1"
      : "the first step failed, before any training: the model's weights are not finite or far too large"
  }
}
