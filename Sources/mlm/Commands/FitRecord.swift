import Model

/// What a checkpoint of `mlm fit` holds beside model and counters: by what the training is known again when it goes on, and its
/// history so far.
struct FitRecord {
  /// What changes the arithmetic, by the option's name.
  let arithmetic: [(option: String, value: String)]
  let learningRate: String
  let length: Length
  let training: CorpusFingerprint
  let validation: CorpusFingerprint?

  /// How long the training is.
  struct Length: Equatable {
    /// As it was asked for.
    let text: String
    let steps: Int
    /// Whether the learning rate depends on it.
    let isFixed: Bool
  }

  init(_ options: FitOptions, preset: String, _ training: CorpusFingerprint, _ validation: CorpusFingerprint?) {
    arithmetic = options.arithmetic(preset: preset)
    learningRate = Self.text(ofRate: options.learningRate)
    length = Length(
      text: options.lengthText, steps: options.training.totalSteps(samples: training.samples),
      isFixed: options.rateDependsOnLength)
    self.training = training
    self.validation = validation
  }

  private static func text(ofRate rate: Double) -> String { FloatText.shortest(Float(rate)) }

  /// What the texts are known by again.
  var data: JSONValue {
    func json(_ fingerprint: CorpusFingerprint) -> JSONValue {
      .object([
        ("samples", .number(fingerprint.samples)), ("bytes", .number(fingerprint.bytes)),
        ("hash", .string(String(fingerprint.hash, radix: 16))),
      ])
    }
    var data = [(key: "training", value: json(training))]
    if let validation { data.append(("validation", json(validation))) }
    return .object(data)
  }

  func json(history: String) -> JSONValue {
    .object([
      ("options", .object(arithmetic.map { ($0.option, .string($0.value)) })),
      ("learning_rate", .string(learningRate)),
      ("length", .string(length.text)), ("total_steps", .number(length.steps)),
      ("data", data), ("history", .string(history)),
    ])
  }
}

/// Refuses to go on from a checkpoint where that would not be what an uninterrupted training does.
extension FitRecord {
  /// What can be said before the text is read.
  ///
  /// - Parameter past: the record of the checkpoint.
  static func check(_ options: FitOptions, preset: String, against past: JSONValue) throws(ResumeError) {
    for (option, value) in options.arithmetic(preset: preset) {
      let then = past["options"]?[option]?.string ?? "not known"
      if then != value { throw .optionChanged(option, then: then, now: value) }
    }
    let rate = Self.text(ofRate: options.learningRate)
    if let then = past["learning_rate"]?.string, then != rate, !options.changesLearningRate {
      throw .learningRateChanged(then: then, now: rate)
    }
  }

  /// The rest.
  func check(against past: JSONValue) throws(ResumeError) {
    try check(training, past["data"]?["training"], .training)
    switch (validation, past["data"]?["validation"]) {
    case (nil, nil): break
    case (let validation?, let then?): try check(validation, then, .validation)
    case (nil, _?): throw .optionChanged("validation", then: "given", now: "none")
    case (_?, nil): throw .optionChanged("validation", then: "none", now: "given")
    }
    if length.isFixed, let steps = past["total_steps"]?.int, steps != length.steps {
      throw .lengthChanged(then: past["length"]?.string ?? "\(steps) steps", now: length.text)
    }
  }

  private func check(
    _ now: CorpusFingerprint, _ past: JSONValue?, _ which: ResumeError.Data
  ) throws(ResumeError) {
    let (samples, bytes) = (past?["samples"]?.int ?? 0, past?["bytes"]?.int ?? 0)
    guard samples == now.samples, bytes == now.bytes, past?["hash"]?.string == String(now.hash, radix: 16) else {
      throw .dataChanged(which, samplesThen: samples, samplesNow: now.samples)
    }
  }
}

/// Why a training does not go on from a checkpoint.
enum ResumeError: ModelError, Equatable {
  enum Data: String, Sendable { case training, validation }

  case optionChanged(_ option: String, then: String, now: String)
  case learningRateChanged(then: String, now: String)
  case lengthChanged(then: String, now: String)
  case dataChanged(_ data: Data, samplesThen: Int, samplesNow: Int)

  var message: String {
    switch self {
    case .optionChanged(let option, let then, let now):
      "cannot resume: --\(option) was \(then) and is \(now) now, and the training would be another"
    case .learningRateChanged(let then, let now):
      "cannot resume: --learning-rate was \(then) and is \(now) now"
    case .lengthChanged(let then, let now):
      "cannot resume: the length was \(then) and is \(now) now, and the learning rate depends on it"
    case .dataChanged(let data, let then, let now):
      "cannot resume: the \(data.rawValue) data is not what it was"
        + (then != now
          ? ": \(Readable.plural(then, "sample")) then, \(now) now" : "; there are as many samples, but others")
    }
  }

  var hint: String? {
    switch self {
    case .optionChanged, .dataChanged:
      "give what was given then; or train on from a checkpoint as a model: --preset OUTPUT/checkpoints/step-N --output OTHER"
    case .learningRateChanged: "if the change is meant, add --change-learning-rate"
    case .lengthChanged:
      "with --schedule constant and without --warmup-ratio it may differ; or train on from a checkpoint as a model (--preset)"
    }
  }
}
