/// How training stands.
public struct TrainingReport: Sendable, Equatable {
  /// When it is reported.
  public enum Moment: Sendable, Equatable {
    /// After an optimizer step.
    case step
    /// During validation, after some of its samples; nothing else has changed since the step before.
    case validation(done: Int, of: Int)
    /// After an epoch (or the last step), its validation included.
    case epochEnd
  }

  /// When it is reported.
  public var moment: Moment
  /// Counted from 1, over all calls of `fit` since `compile`.
  public var epoch: Int
  /// Optimizer steps done, over all epochs and calls.
  public var step: Int
  /// The step at which this call ends, unless training is stopped.
  public var totalSteps: Int
  /// Samples and tokens ([CLS] and [SEP] counted) seen, over all epochs.
  public var samples: Int
  /// Tokens seen, over all epochs, [CLS] and [SEP] counted.
  public var tokens: Int
  /// Nats per masked token and the share of right ones, over the epoch so far, as they were during the epoch. NaN where no token was
  /// masked.
  public var loss: Double
  /// The share of right ones among them.
  public var accuracy: Double
  /// Masked tokens of the epoch so far.
  public var maskedTokens: Int
  /// The sum of their weights, which loss and accuracy are means over: their number, unless samples bring weights of their own.
  public var maskedWeight: Double
  /// The rate of the last step.
  public var learningRate: Float
  /// What was found after the epoch; nil at other moments, and where there is nothing to validate on.
  public var validation: Evaluation?
  /// Spent on training, runs before a `--resume` counted.
  public var seconds: Double
  /// Of the epoch so far, without validation.
  public var tokensPerSecond: Double
  /// What steps had to wait for their samples, in this run.
  public var secondsWaiting = 0.0
}

extension TrainingReport {
  init(
    _ moment: Moment, _ state: TrainingState, totalSteps: Int, validation: Evaluation?, tokensPerSecond: Double,
    secondsWaiting: Double
  ) {
    self.init(
      moment: moment, epoch: state.epoch + 1, step: state.step, totalSteps: totalSteps, samples: state.samples,
      tokens: state.tokens, loss: state.sums.meanLoss, accuracy: state.sums.accuracy, maskedTokens: state.sums.count,
      maskedWeight: state.sums.weight, learningRate: state.learningRate, validation: validation, seconds: state.seconds,
      tokensPerSecond: tokensPerSecond, secondsWaiting: secondsWaiting)
  }
}

/// How long and in what portions to train.
public struct TrainingOptions: Sendable, Equatable {
  /// nil: as many as `maximumSteps` takes.
  public var epochs: Int?
  /// Optimizer steps, at most; nil: as many as the epochs have.
  public var maximumSteps: Int?
  /// Samples computed together.
  public var batchSize: Int
  /// Batches per optimizer step; the result equals one batch of the sum.
  public var gradientAccumulation: Int
  /// Whether each epoch has an order of its own, by the seed (Keras: `shuffle`); otherwise the order is that of the corpus.
  public var shuffles: Bool
  /// After so many evaluations without a better validation loss training ends, and the best parameters are taken; nil: it goes on to
  /// its end, and the last parameters are taken.
  public var earlyStopping: Int?

  /// KerasHub's defaults.
  public init(
    epochs: Int? = 1, maximumSteps: Int? = nil, batchSize: Int = 32, gradientAccumulation: Int = 1,
    shuffles: Bool = true, earlyStopping: Int? = nil
  ) {
    self.epochs = epochs
    self.maximumSteps = maximumSteps
    self.batchSize = max(1, batchSize)
    self.gradientAccumulation = max(1, gradientAccumulation)
    self.shuffles = shuffles
    self.earlyStopping = earlyStopping.map { max(1, $0) }
  }

  /// Any numbers may be asked for; a step takes what there is.
  var samplesPerStep: Int {
    let (product, overflows) = batchSize.multipliedReportingOverflow(by: gradientAccumulation)
    return overflows ? .max : product
  }

  /// Optimizer steps for a corpus of that many samples.
  public func totalSteps(samples: Int) -> Int {
    let perEpoch = samples > 0 ? (samples - 1) / samplesPerStep + 1 : 0
    let (all, overflows) = perEpoch.multipliedReportingOverflow(by: max(0, epochs ?? .max))
    return min(overflows ? .max : all, maximumSteps ?? .max)
  }
}
