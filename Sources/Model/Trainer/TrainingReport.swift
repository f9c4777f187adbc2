/// A report on the progress of training.
public struct TrainingReport: Sendable, Equatable {
  /// The moment of a report.
  public enum Moment: Sendable, Equatable {
    /// After an optimizer step.
    case step
    /// During validation, after some of its samples; nothing else has changed since the step before.
    case validation(done: Int, of: Int)
    /// After an epoch (or the last step) and its validation.
    case epochEnd
  }

  /// The moment of a report.
  public var moment: Moment
  /// The number of the epoch, from 1, over all calls of `fit` since `compile`.
  public var epoch: Int
  /// The number of optimizer steps done, over all epochs and calls.
  public var step: Int
  /// The step at which this call ends, unless training is stopped.
  public var totalSteps: Int
  /// The number of samples seen, over all epochs.
  public var samples: Int
  /// The number of tokens seen, over all epochs, including [CLS] and [SEP].
  public var tokens: Int
  /// The loss in nats per masked token, a mean over the epoch so far, as measured during training. Loss and accuracy
  /// are NaN if no token was masked.
  public var loss: Double
  /// The share of masked tokens predicted correctly, over the epoch so far.
  public var accuracy: Double
  /// The number of masked tokens in the epoch so far.
  public var maskedTokens: Int
  /// The sum of the masked tokens' weights, over which loss and accuracy are means. It is their number, unless samples
  /// have weights.
  public var maskedWeight: Double
  /// The learning rate of the last step.
  public var learningRate: Float
  /// The evaluation after the epoch; nil at other moments and without validation samples.
  public var validation: Evaluation?
  /// The seconds spent on training, including those of runs before a `--resume`.
  public var seconds: Double
  /// The speed in the epoch so far, without validation.
  public var tokensPerSecond: Double
  /// The seconds that steps waited for their samples, in this run.
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

/// The length of a training, and its batches.
public struct TrainingOptions: Sendable, Equatable {
  /// The number of epochs; nil: as many as `maximumSteps` takes.
  public var epochs: Int?
  /// The most optimizer steps; nil: those of all epochs.
  public var maximumSteps: Int?
  /// The number of samples computed together.
  public var batchSize: Int
  /// The number of batches per optimizer step; the result equals that of one large batch.
  public var gradientAccumulation: Int
  /// Whether each epoch has its own order, derived from the seed (Keras: `shuffle`); otherwise the order is that of the
  /// corpus.
  public var shuffles: Bool
  /// The number of evaluations without a better validation loss after which training stops and the best parameters are
  /// restored; nil: no early stopping, and the last parameters are kept.
  public var earlyStopping: Int?

  /// Creates options, with KerasHub's defaults.
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

  /// The product saturates: a step never takes more samples than there are.
  var samplesPerStep: Int {
    let (product, overflows) = batchSize.multipliedReportingOverflow(by: gradientAccumulation)
    return overflows ? .max : product
  }

  /// Returns the number of optimizer steps for a corpus of this many samples.
  public func totalSteps(samples: Int) -> Int {
    let perEpoch = samples > 0 ? (samples - 1) / samplesPerStep + 1 : 0
    let (all, overflows) = perEpoch.multipliedReportingOverflow(by: max(0, epochs ?? .max))
    return min(overflows ? .max : all, maximumSteps ?? .max)
  }
}
