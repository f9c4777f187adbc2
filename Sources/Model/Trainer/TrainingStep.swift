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
  /// The parameters as they were before the last update; nil where there was none.
  private var previous: UnsafeMutablePointer<Float>?

  init(_ network: Network, _ compute: Compute, _ optimizer: Optimizer, _ reduction: LossReduction, seed: UInt64) {
    network.parameters.makeTrainable()
    self.network = network
    self.compute = compute
    self.optimizer = optimizer
    self.reduction = reduction
    self.seed = seed
    state = OptimizerState(network.parameters)
  }

  deinit { previous?.deallocate() }

  struct Result {
    var sums: LossSums
    /// Before clipping. 0 where nothing was masked and so nothing was done.
    var gradientNorm: Double
  }

  /// One step on some samples, `batchSize` of them at a time. The result does not depend on how they are divided (but for rounding):
  /// the divisor is that of all of them, and dropout goes by a sample's place in the step.
  ///
  /// Throws where loss or gradient is not finite; the parameters are then as they were before.
  func run(_ samples: [Sample], batchSize: Int, learningRate: Float) throws(TrainingError) -> Result {
    let divisor =
      switch reduction {
      case .maskedMean: samples.reduce(0) { $0 + $1.weights.reduce(0) { $0 + Double($1) } }
      case .sumOverBatchSize: Double(samples.reduce(0) { $0 + $1.slots })
      }
    guard divisor > 0, samples.contains(where: { !$0.maskPositions.isEmpty }) else {
      return Result(sums: LossSums(), gradientNorm: 0)
    }
    let number = state.steps + 1
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
    let norm = OptimizerState.gradientNorm(network.parameters, pool)
    guard sums.loss.isFinite else { throw .lossIsNotFinite(step: number) }
    guard norm.isFinite else { throw .gradientIsNotFinite(step: number) }
    var scale: Float = 1
    if let limit = optimizer.clipNorm, norm > Double(limit) { scale = Float(Double(limit) / norm) }
    remember()
    state.step(network.parameters, optimizer, learningRate: learningRate, scale: scale, pool)
    return Result(sums: sums, gradientNorm: norm)
  }

  /// Takes back the last update, once. A loss that is not finite shows that the update before it went too far: what went into
  /// that one are the last parameters known to be good.
  func undo() {
    guard let previous, let values = network.parameters.valueBlock else { return }
    values.update(from: previous, count: network.parameters.blockSize)
    previous.deallocate()
    self.previous = nil
  }

  private func remember() {
    let parameters = network.parameters
    guard let values = parameters.valueBlock else { return }
    let copy = previous ?? .allocate(capacity: max(1, parameters.blockSize))
    previous = copy
    nonisolated(unsafe) let (source, target) = (values, copy)
    compute.pool.split(parameters.blockSize) { _, range in
      (target + range.lowerBound).update(from: source + range.lowerBound, count: range.count)
    }
  }
}

/// What can go wrong in training. The parameters are then the last that are known to be good.
public enum TrainingError: ModelError, Equatable {
  case lossIsNotFinite(step: Int)
  case gradientIsNotFinite(step: Int)
  case validationIsNotFinite(step: Int)

  public var message: String {
    switch self {
    case .lossIsNotFinite(let step): "the loss is not a finite number at step \(step); training stopped"
    case .gradientIsNotFinite(let step): "the gradient is not finite at step \(step); training stopped"
    case .validationIsNotFinite(let step):
      "the validation loss is not a finite number after step \(step); training stopped"
    }
  }

  /// Optimizer steps behind the parameters that are kept: the update after them went too far.
  public var goodSteps: Int {
    switch self {
    case .lossIsNotFinite(let step), .gradientIsNotFinite(let step): max(0, step - 2)
    case .validationIsNotFinite(let step): max(0, step - 1)
    }
  }

  /// Whether training can be blamed; else the model was broken from the beginning.
  public var isOfTraining: Bool {
    switch self {
    case .lossIsNotFinite(let step), .gradientIsNotFinite(let step): step > 1
    case .validationIsNotFinite(let step): step > 0
    }
  }

  public var hint: String? {
    isOfTraining
      ? "try a lower --learning-rate, or --clip-norm 1"
      : "the model gave none before anything was learned: its weights hold values that are not finite or far too large"
  }
}
