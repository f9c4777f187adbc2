import Files
import Glibc

/// Trains a network on a corpus, epoch after epoch (Keras: `fit`).
struct Trainer {
  let training: TrainingStep
  let schedule: Schedule
  let options: TrainingOptions
  let seed: UInt64
  /// The callbacks, called at each moment of the training.
  var callbacks: [TrainingCallback] = []
  /// Writes checkpoints; nil for no checkpoints.
  var checkpoints: CheckpointWriter?
  /// Keeps the best parameters; nil if the last parameters are wanted.
  var best: BestParameters?

  /// - Parameter state: the state of the earlier run, whose parameters and moments the network has. Set to the state at
  ///   the end of this run, even if it throws.
  func run(
    _ source: some SampleSource, validation: (any SampleSource)?, from state: inout TrainingState
  ) throws -> TrainingOutcome {
    let (total, overflows) = state.beginning.step.addingReportingOverflow(options.totalSteps(samples: source.count))
    let run = TrainingRun(self, total: overflows ? .max : total, state: state)
    defer { state = run.state }
    do {
      let ending = try run.run(source, validation)
      if ending != .stopped { best?.restore(for: run.state) }
      return TrainingOutcome(state: run.state, ending: ending)
    } catch {
      // The training up to here is good, unless a checkpoint failed.
      if !run.isSaving { try? run.save() }
      throw error
    }
  }
}

/// One run of a trainer, starting from a state.
private final class TrainingRun {
  private let trainer: Trainer
  private let totalSteps: Int
  private(set) var state: TrainingState
  /// The state of the last checkpoint.
  private var saved: TrainingState
  /// Whether a checkpoint is being written.
  private(set) var isSaving = false
  /// Whether a callback returned `.stop`.
  private var isStopped = false

  private let clock = Stopwatch()
  private let secondsBefore: Double
  /// The clock of this run's part of the epoch, for tokens per second.
  private var epochClock = Stopwatch()
  private var epochTokens = 0
  private var secondsWaiting = 0.0

  init(_ trainer: Trainer, total: Int, state: TrainingState) {
    self.trainer = trainer
    totalSteps = total
    self.state = state
    saved = state
    secondsBefore = state.seconds
    trainer.training.state.forgetReach()
  }

  private var isOutOfPatience: Bool {
    trainer.options.earlyStopping.map { state.evaluationsWithoutProgress >= $0 } ?? false
  }

  func run(_ source: some SampleSource, _ validation: (any SampleSource)?) throws -> TrainingOutcome.Ending {
    let plan = StepPlan(
      samples: source.count, options: trainer.options, seed: trainer.seed, beginning: state.beginning)
    let steps = state.step..<(source.count > 0 ? max(state.step, totalSteps) : state.step)
    let ahead = SamplePrefetcher(steps: steps) { step in
      let (epoch, indices) = plan.indices(ofStep: step)
      return try indices.map { try source.sample($0, epoch: epoch) }
    }
    defer { ahead.stop() }
    // An epoch that has begun is finished, even if only its evaluation is missing.
    while source.count > 0, state.step < totalSteps || state.position > 0, !isOutOfPatience {
      try finishEpoch(of: source.count, ahead, isEvaluated: validation != nil)
      let isWhole = state.position == source.count
      // A longer run would continue the epoch from here, and evaluate only at its end.
      if !isWhole { try save() }
      let evaluation = try isStopped ? nil : evaluate(validation)
      if isStopped {
        try save()
        return .stopped
      }
      var next = state
      if let evaluation {
        next.note(evaluation)
        if next.best?.step == state.step { trainer.best?.keep(step: state.step) }
      }
      try tell(.epochEnd, validation: evaluation)
      next.seconds = state.seconds
      state = next
      guard isWhole else { break }
      state.beginNextEpoch()
      try save()
      // After the last step the training is complete, whatever the callbacks returned.
      if isStopped, state.step < totalSteps, !isOutOfPatience { return .stopped }
    }
    return isOutOfPatience && state.step < totalSteps ? .early : .complete
  }

  /// Runs the remaining steps of the epoch.
  private func finishEpoch(of count: Int, _ ahead: SamplePrefetcher, isEvaluated: Bool) throws {
    let training = trainer.training
    (epochClock, epochTokens) = (Stopwatch(), 0)
    while state.position < count, state.step < totalSteps, !isStopped {
      try Task.checkCancellation()
      let samples = try ahead.next()
      secondsWaiting = ahead.secondsWaiting
      let rate = training.optimizer.learningRate * trainer.schedule.factor(step: state.step, totalSteps: totalSteps)
      let result = try training.run(
        samples, batchSize: trainer.options.batchSize, learningRate: rate, step: state.step + 1)
      note(result, samples, rate)
      try tell(.step)
      let isDue = trainer.checkpoints?.options.interval.map { state.step % $0 == 0 } ?? false
      // The end of an epoch always writes a checkpoint, but only after the evaluation, which may take long.
      if isDue, state.position < count || isEvaluated { try save() }
    }
  }

  private func note(_ result: TrainingStep.Result, _ samples: [Sample], _ rate: Float) {
    let tokens = samples.reduce(0) { $0 + $1.tokenIDs.count }
    state.step += 1
    state.position += samples.count
    state.samples += samples.count
    state.tokens += tokens
    state.updates = trainer.training.state.steps
    state.sums += result.sums
    state.learningRate = rate
    epochTokens += tokens
  }

  /// Evaluates the validation samples. Returns nil if there are none, or if a callback stopped the evaluation, since
  /// partial figures mean nothing.
  private func evaluate(_ validation: (any SampleSource)?) throws -> Evaluation? {
    guard let validation else { return nil }
    let evaluator = Evaluator(network: trainer.training.network, compute: trainer.training.compute)
    let evaluation = try evaluator.evaluate(validation) { done in
      try tell(.validation(done: done, of: validation.count))
      return !isStopped
    }
    return isStopped ? nil : evaluation
  }

  /// Reports a moment to the callbacks.
  private func tell(_ moment: TrainingReport.Moment, validation: Evaluation? = nil) throws {
    state.seconds = secondsBefore + clock.seconds
    let continues = try trainer.callbacks.shouldContinue(
      after: TrainingReport(
        moment, state, totalSteps: totalSteps, validation: validation,
        tokensPerSecond: Double(epochTokens) / max(epochClock.seconds, 1e-9), secondsWaiting: secondsWaiting))
    if !continues { isStopped = true }
  }

  /// Writes a checkpoint if the state has changed since the last one.
  func save() throws {
    guard (state.step, state.epoch, state.position) != (saved.step, saved.epoch, saved.position) else { return }
    isSaving = true
    try trainer.checkpoints?.write(state)
    isSaving = false
    saved = state
  }
}

/// The end of a training.
public struct TrainingOutcome: Sendable {
  /// The reason for the end.
  public enum Ending: Sendable {
    /// All steps are done.
    case complete
    /// Early stopping: the validation loss has stopped improving.
    case early
    /// A callback stopped it.
    case stopped
  }

  /// The state at the end.
  public let state: TrainingState
  /// The reason for the end.
  public let ending: Ending
}

/// Measures the seconds since its creation.
struct Stopwatch {
  private let start = MonotonicClock.seconds

  var seconds: Double { MonotonicClock.seconds - start }
}
