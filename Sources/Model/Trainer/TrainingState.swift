import Text

/// The progress of a training. Together with the parameters and the optimizer's moments, it suffices to resume as if
/// the training had never stopped: order, masks and dropout are functions of the seed and of these numbers.
public struct TrainingState: Sendable, Equatable {
  /// The best evaluation so far.
  public struct Best: Sendable, Equatable {
    /// The loss in nats per masked token.
    public var loss: Double
    /// The number of steps done at the evaluation.
    public var step: Int
  }

  /// The start of a call of `fit`, which is the end of the previous call.
  struct Beginning: Sendable, Equatable {
    var epoch = 0
    var step = 0
  }

  /// The start of the current call of `fit`.
  var beginning = Beginning()
  /// The current epoch, counted from 0.
  public internal(set) var epoch = 0
  /// The number of samples done in the current epoch, which is the position of the next step in its order. If all
  /// samples are done, the epoch's evaluation is still missing.
  public internal(set) var position = 0
  /// The number of steps done, over all epochs.
  public internal(set) var step = 0
  /// The number of parameter updates; a step without a masked token makes none.
  public internal(set) var updates = 0
  /// The number of samples seen, over all epochs.
  public internal(set) var samples = 0
  /// The number of tokens seen, over all epochs.
  public internal(set) var tokens = 0
  /// The sums over the epoch so far.
  var sums = LossSums()
  /// The loss in nats per masked token over the epoch so far; NaN if no token was masked.
  public var loss: Double { sums.meanLoss }
  /// The share of masked tokens predicted correctly, over the epoch so far.
  public var accuracy: Double { sums.accuracy }
  /// The sum of the masked tokens' weights.
  public var maskedWeight: Double { sums.weight }
  /// The learning rate of the last step.
  var learningRate: Float = 0
  /// The best evaluation; nil before the first one.
  public internal(set) var best: Best?
  /// The number of evaluations since the best one.
  public internal(set) var evaluationsWithoutProgress = 0
  /// The seconds spent, over all runs.
  public internal(set) var seconds = 0.0

  /// Creates the state before the first step.
  public init() {}

  /// Records an evaluation of the current parameters. One without masked tokens, or with a loss that is not finite, is
  /// no progress.
  mutating func note(_ evaluation: Evaluation) {
    if evaluation.maskedTokens > 0, evaluation.loss.isFinite, evaluation.loss < best?.loss ?? .infinity {
      best = Best(loss: evaluation.loss, step: step)
      evaluationsWithoutProgress = 0
    } else {
      evaluationsWithoutProgress += 1
    }
  }

  /// Prepares the state for a further `fit`, which begins a new epoch and has no best evaluation yet.
  mutating func beginFit() {
    if position > 0 { beginNextEpoch() }
    beginning = Beginning(epoch: epoch, step: step)
    best = nil
    evaluationsWithoutProgress = 0
  }

  mutating func beginNextEpoch() {
    epoch += 1
    position = 0
    sums = LossSums()
  }
}

/// The state in JSON.
extension TrainingState {
  var json: JSONValue {
    var members: [(key: String, value: JSONValue)] = [
      ("epoch", .number(epoch)), ("position", .number(position)), ("step", .number(step)),
      ("updates", .number(updates)), ("samples", .number(samples)), ("tokens", .number(tokens)),
      (
        "epoch_sums",
        .object([
          ("loss", .number(sums.loss)), ("weight", .number(sums.weight)), ("correct", .number(sums.correct)),
          ("masked_tokens", .number(sums.count)),
        ])
      ),
      ("learning_rate", .number(Double(learningRate))),
    ]
    if let best {
      members.append(("best", .object([("loss", .number(best.loss)), ("step", .number(best.step))])))
    }
    members.append(("evaluations_without_progress", .number(evaluationsWithoutProgress)))
    members.append(("seconds", .number(seconds)))
    if beginning != Beginning() {
      members.append(
        ("fit_began", .object([("epoch", .number(beginning.epoch)), ("step", .number(beginning.step))])))
    }
    return .object(members)
  }

  init(json: JSONValue, file: String) throws(TrainingCheckpointError) {
    func member(_ key: String, _ parent: JSONValue?) throws(TrainingCheckpointError) -> JSONValue {
      guard let value = parent?[key] else { throw .damaged(file: file, what: "'\(key)' is missing") }
      return value
    }
    func count(_ key: String, of parent: JSONValue? = nil) throws(TrainingCheckpointError) -> Int {
      guard let number = try member(key, parent ?? json).int, number >= 0 else {
        throw .damaged(file: file, what: "'\(key)' is not a whole number of at least 0")
      }
      return number
    }
    func number(_ key: String, of parent: JSONValue? = nil) throws(TrainingCheckpointError) -> Double {
      guard let number = try member(key, parent ?? json).double, number.isFinite else {
        throw .damaged(file: file, what: "'\(key)' is not a number")
      }
      return number
    }
    epoch = try count("epoch")
    position = try count("position")
    step = try count("step")
    updates = try count("updates")
    samples = try count("samples")
    tokens = try count("tokens")
    let epochSums = try member("epoch_sums", json)
    sums = LossSums(
      loss: try number("loss", of: epochSums), weight: try number("weight", of: epochSums),
      correct: try number("correct", of: epochSums), count: try count("masked_tokens", of: epochSums))
    learningRate = Float(try number("learning_rate"))
    if let json = json["best"] {
      best = Best(loss: try number("loss", of: json), step: try count("step", of: json))
    }
    evaluationsWithoutProgress = try count("evaluations_without_progress")
    seconds = try number("seconds")
    if let json = json["fit_began"] {
      beginning = Beginning(epoch: try count("epoch", of: json), step: try count("step", of: json))
      guard beginning.epoch <= epoch, beginning.step <= step else {
        throw .damaged(file: file, what: "'fit_began' is later than the training's state")
      }
    }
  }
}
