import Text

/// How far a training has come. With the parameters and the optimizer's moments it is all that is needed to go on as if it had never
/// stopped: order, masks and dropout are functions of the seed and of these numbers.
public struct TrainingState: Sendable, Equatable {
  /// An evaluation that none before was better than.
  public struct Best: Sendable, Equatable {
    /// Nats per masked token.
    public var loss: Double
    /// The steps done then.
    public var step: Int
  }

  /// Where a call of `fit` began: at the end of the calls before it.
  struct Beginning: Sendable, Equatable {
    var epoch = 0
    var step = 0
  }

  /// Of the call of `fit` at hand.
  var beginning = Beginning()
  /// The epoch at hand, counted from 0.
  public internal(set) var epoch = 0
  /// Samples of that epoch that are done: where in its order the next step begins. Where it is all of them, the epoch is still to be
  /// evaluated.
  public internal(set) var position = 0
  /// Steps done over all epochs.
  public internal(set) var step = 0
  /// Updates of the parameters: a step without a masked token makes none.
  public internal(set) var updates = 0
  /// Samples and tokens seen over all epochs.
  public internal(set) var samples = 0
  /// Tokens seen over all epochs.
  public internal(set) var tokens = 0
  /// Of the epoch so far.
  var sums = LossSums()
  /// Nats per masked token over the epoch so far; NaN where no token was masked.
  public var loss: Double { sums.meanLoss }
  /// The share of right ones among them.
  public var accuracy: Double { sums.accuracy }
  /// The sum of their weights.
  public var maskedWeight: Double { sums.weight }
  /// Of the last step.
  var learningRate: Float = 0
  /// nil before the first evaluation.
  public internal(set) var best: Best?
  /// Evaluations since the best one.
  public internal(set) var evaluationsWithoutProgress = 0
  /// The time that was spent, over all runs.
  public internal(set) var seconds = 0.0

  /// Before the first step.
  public init() {}

  /// Takes note of an evaluation of the parameters as they are. One without a masked token, or of no number, is no progress.
  mutating func note(_ evaluation: Evaluation) {
    if evaluation.maskedTokens > 0, evaluation.loss.isFinite, evaluation.loss < best?.loss ?? .infinity {
      best = Best(loss: evaluation.loss, step: step)
      evaluationsWithoutProgress = 0
    } else {
      evaluationsWithoutProgress += 1
    }
  }

  /// Makes it the state before the first step of a further `fit`, which begins an epoch, and whose best evaluation is still to come.
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

/// The state in a file.
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
        throw .damaged(file: file, what: "'fit_began' is after the training's end")
      }
    }
  }
}
