import Glibc

/// Runs a corpus through optimizer steps, epoch after epoch (Keras' `fit`).
struct Trainer {
  let training: TrainingStep
  let schedule: Schedule
  let options: TrainingOptions
  let seed: UInt64

  /// - Parameters:
  ///   - report: called after each step, and after each epoch with its validation; false ends training in order.
  func run(
    _ source: some SampleSource, validation: (any SampleSource)?, report: (TrainingReport) throws -> Bool
  ) throws {
    let totalSteps = options.totalSteps(samples: source.count)
    let clock = Stopwatch()
    let evaluator = Evaluator(network: training.network, compute: training.compute)
    var (step, samplesSeen, tokensSeen) = (0, 0, 0)
    var epoch = 0
    let plan = StepPlan(samples: source.count, options: options, seed: seed)
    let ahead = SamplesAhead(steps: step..<(source.count > 0 ? max(step, totalSteps) : step)) { step in
      let (epoch, indices) = plan.indices(ofStep: step)
      return try indices.map { try source.sample($0, epoch: epoch) }
    }
    defer { ahead.stop() }
    while step < totalSteps, source.count > 0 {
      let epochClock = Stopwatch()
      var sums = LossSums()
      var epochTokens = 0
      var state = TrainingReport(
        moment: .step, epoch: epoch + 1, step: step, totalSteps: totalSteps, samples: samplesSeen, tokens: tokensSeen,
        loss: 0, accuracy: 0, maskedTokens: 0, learningRate: 0, validation: nil, seconds: 0, tokensPerSecond: 0)
      var goesOn = true
      for start in stride(from: 0, to: source.count, by: options.samplesPerStep) where goesOn && step < totalSteps {
        let samples = try ahead.next()
        let rate = training.optimizer.learningRate * schedule.factor(step: step, totalSteps: totalSteps)
        let result = try training.run(samples, batchSize: options.batchSize, learningRate: rate)
        sums += result.sums
        step += 1
        epochTokens += samples.reduce(0) { $0 + $1.tokenIDs.count }
        state.step = step
        state.samples = samplesSeen + start + samples.count
        state.tokens = tokensSeen + epochTokens
        (state.loss, state.accuracy, state.learningRate) = (sums.meanLoss, sums.accuracy, rate)
        state.maskedTokens = sums.count
        state.seconds = clock.seconds
        state.secondsWaiting = ahead.secondsWaiting
        state.tokensPerSecond = Double(epochTokens) / max(epochClock.seconds, 1e-9)
        goesOn = try report(state)
      }
      (samplesSeen, tokensSeen) = (state.samples, state.tokens)
      if goesOn, let validation {
        var asked = state
        let evaluation = try evaluator.evaluate(validation) { done in
          asked.moment = .validation(done: done, of: validation.count)
          asked.seconds = clock.seconds
          goesOn = try report(asked)
          return goesOn
        }
        // Figures of a part are no figures.
        if goesOn { state.validation = evaluation }
      }
      state.moment = .epochEnd
      state.seconds = clock.seconds
      guard try report(state), goesOn else { return }
      epoch += 1
    }
  }
}

/// Seconds since it was made.
struct Stopwatch {
  private let start = MonotonicClock.seconds

  var seconds: Double { MonotonicClock.seconds - start }
}
