import Model

/// The options as values of the library.
extension FitOptions {
  var libraryOptimizer: Optimizer {
    Optimizer(
      optimizer, learningRate: Float(learningRate), beta1: Float(beta1), beta2: Float(beta2),
      epsilon: Float(epsilon), weightDecay: Float(weightDecay), clipNorm: clipNorm.map { Float($0) })
  }

  var librarySchedule: Schedule {
    switch warmup {
    case .steps(let steps): return Schedule(schedule, warmUp: .steps(steps))
    case .ratio(let ratio): return Schedule(schedule, warmUp: .ratio(ratio))
    }
  }

  var training: TrainingOptions {
    TrainingOptions(
      epochs: epochs, maximumSteps: maximumSteps, batchSize: batchSize, gradientAccumulation: gradientAccumulation,
      shuffles: shuffles, earlyStopping: earlyStopping)
  }
}

extension Optimizer {
  fileprivate init(
    _ algorithm: Algorithm, learningRate: Float, beta1: Float, beta2: Float, epsilon: Float, weightDecay: Float,
    clipNorm: Float?
  ) {
    self =
      switch algorithm {
      case .adam:
        .adam(
          learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay,
          clipNorm: clipNorm)
      case .adamw:
        .adamW(
          learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay,
          clipNorm: clipNorm)
      }
  }
}

extension SampleOptions {
  var layout: TextCorpus.Layout {
    switch cut {
    case .packed: .packed
    case .lines: pairs ? .pairs : .lines
    }
  }

  func masking(seed: UInt64) -> MaskingOptions {
    MaskingOptions(
      selectionRate: selectionRate, selectionLength: selectionLength, maskTokenRate: maskTokenRate,
      randomTokenRate: randomTokenRate, sampling: sampling, wholeWords: wholeWords,
      masksUnknown: masksUnknown, seed: seed)
  }
}
