import Model

/// What was asked for, in the library's words.
extension FitOptions {
  var libraryOptimizer: Optimizer {
    Optimizer(
      optimizer == .adam ? .adam : .adamw, learningRate: Float(learningRate), beta1: Float(beta1), beta2: Float(beta2),
      epsilon: Float(epsilon), weightDecay: Float(weightDecay), clipNorm: clipNorm.map { Float($0) })
  }

  var librarySchedule: Schedule {
    let shape: Schedule.Shape =
      switch schedule {
      case .constant: .constant
      case .linear: .linear
      case .cosine: .cosine
      }
    switch warmup {
    case .steps(let steps): return Schedule(shape, warmUp: .steps(steps))
    case .ratio(let ratio): return Schedule(shape, warmUp: .ratio(ratio))
    }
  }

  var libraryLossReduction: LossReduction { lossReduction == .maskedMean ? .maskedMean : .sumOverBatchSize }

  var training: TrainingOptions {
    TrainingOptions(
      epochs: epochs, maximumSteps: maximumSteps, batchSize: batchSize, gradientAccumulation: gradientAccumulation,
      shuffles: shuffles, earlyStopping: earlyStopping)
  }
}

extension EvaluateOptions {
  var libraryPseudoLikelihood: PseudoLikelihood.Variant? {
    switch pseudoPerplexity {
    case nil: nil
    case .original: .original
    case .withinWordLeftToRight: .withinWordLeftToRight
    }
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
      randomTokenRate: randomTokenRate, sampling: sampling == .exact ? .exact : .bernoulli, wholeWords: wholeWords,
      masksUnknown: masksUnknown, seed: seed)
  }
}
