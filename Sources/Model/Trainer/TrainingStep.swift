import Files
import Text

/// What the gradient's loss is divided by. What is reported is always per masked token.
public enum LossReduction: String, Sendable, CaseIterable {
  /// The weights of the masked tokens of the whole optimizer step.
  case maskedMean = "masked-mean"
  /// Samples × mask slots, used or not (Keras' `sum_over_batch_size`).
  case sumOverBatchSize = "sum-over-batch-size"
}

/// Optimizer steps on a network: gradients of one or several batches, clipping, the update.
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
    /// Before clipping. 0 where nothing was masked and so nothing was done.
    var gradientNorm: Double
  }

  /// One step on some samples, `batchSize` of them at a time. The result does not depend on how they are divided (but for rounding):
  /// the divisor is that of all of them, and dropout goes by a sample's place in the step.
  ///
  /// Throws where loss or gradient is not finite, or the update too large; parameters and moments are then as they were before.
  ///
  /// - Parameter step: what an error calls the step, where not every step makes an update; nil: the number of the update.
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

/// What can go wrong in training. Parameters and moments are then as they were before that step, the last that are known to be good.
public enum TrainingError: ModelError, Equatable {
  /// The loss is no number any more.
  case lossIsNotFinite(step: Int, learningRate: Float)
  /// The loss is a number, and its gradient is not.
  case gradientIsNotFinite(step: Int, learningRate: Float)
  /// The update was taken back.
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

  /// Steps before the one that failed.
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
      : "the model gave none before anything was learned: its weights hold values that are not finite or far too large"
  }
}
