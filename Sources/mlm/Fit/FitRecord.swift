import Files
import Model
import Text

/// What a checkpoint of `mlm fit` holds beside model and counters: by what the training is known again when it goes on, and its
/// history so far.
struct FitRecord {
  /// What a resumed run must share.
  let key: [FitOptions.KeyEntry]
  let learningRate: String
  let length: Length
  let training: CorpusFingerprint
  let validation: CorpusFingerprint?
  /// `DistilBertMaskedLM.fingerprint` of the model before the first step; empty where that is not known.
  let model: String
  let threads: Int
  let earlyStopping: Int?

  /// How long the training is.
  struct Length: Equatable {
    /// As it was asked for.
    let text: String
    let steps: Int
    /// Whether the learning rate depends on it.
    let isFixed: Bool
  }

  init(
    _ options: FitOptions, preset: String, model: String, threads: Int, _ training: CorpusFingerprint,
    _ validation: CorpusFingerprint?
  ) {
    key = options.reproducibilityKey(preset: preset)
    learningRate = Self.text(ofRate: options.learningRate)
    length = Length(
      text: options.lengthText, steps: options.training.totalSteps(samples: training.samples),
      isFixed: options.rateDependsOnLength)
    self.training = training
    self.validation = validation
    (self.model, self.threads, earlyStopping) = (model, threads, options.earlyStopping)
  }

  static func text(of fingerprint: UInt64) -> String { String(fingerprint, radix: 16) }

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

  /// - Parameter rows: the history so far.
  func json(history rows: [HistoryRow]) -> JSONValue {
    let weights = rows.compactMap(\.maskedWeight)
    return .object([
      ("options", .object(key.map { ($0.option.name, .string($0.value)) })),
      ("learning_rate", .string(learningRate)),
      ("length", .string(length.text)), ("total_steps", .number(length.steps)),
      ("model", .string(model)), ("threads", .number(threads)),
      ("early_stopping", earlyStopping.map { .number($0) } ?? .null),
      ("data", data), ("history", .string(HistoryRow.header + rows.map(\.line).joined())),
      // What its means are over; where one is not known, the tokens stand for them all.
      ("history_weights", .array(weights.count == rows.count ? weights.map { .number($0) } : [])),
    ])
  }

  static func history(of past: JSONValue) -> [HistoryRow] {
    HistoryRow.rows(
      csv: past["history"]?.string ?? "", weights: past["history_weights"]?.array?.compactMap(\.double) ?? [])
  }
}

/// Refuses to go on from a checkpoint where that would not be what an uninterrupted training does.
extension FitRecord {
  /// What can be said before the text is read.
  ///
  /// - Parameters:
  ///   - past: the record of the checkpoint.
  ///   - isSameModel: whether these options begin with the model of that fingerprint; asked where a preset or a vocabulary is named
  ///     otherwise than then.
  static func check(
    _ options: FitOptions, preset: String, against past: JSONValue, isSameModel: (String) throws -> Bool
  ) throws {
    var renamed: ResumeError?
    let vocabularies = Set([past["options"]?["vocabulary"]?.string ?? "", options.newModel.vocabularyText])
    for entry in options.reproducibilityKey(preset: preset) {
      let option = entry.option.name
      let then = past["options"]?[option]?.string ?? entry.before ?? "not known"
      if then == entry.value { continue }
      let error = ResumeError.optionChanged(option, then: then, now: entry.value)
      let isFile =
        option != NewModelOptions.vocabularyFile.name || vocabularies.isDisjoint(with: NewModelOptions.noFile)
      let isName = entry.option.role == .content && isFile
      guard isName else { throw error }
      if renamed == nil { renamed = error }
    }
    if let renamed {
      guard let model = past["model"]?.string, !model.isEmpty, try isSameModel(model) else { throw renamed }
    }
    let rate = Self.text(ofRate: options.learningRate)
    if let then = past["learning_rate"]?.string, then != rate, !options.changesLearningRate {
      throw ResumeError.learningRateChanged(then: then, now: rate)
    }
  }

  /// The rest.
  ///
  /// - Parameter step: of the checkpoint.
  func check(against past: JSONValue, at step: Int) throws(ResumeError) {
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
    guard step <= length.steps else { throw .isLonger(done: step, steps: length.steps, text: length.text) }
  }

  /// What differs and may, but makes another training in some respect: one line each.
  func notes(against past: JSONValue, at step: Int) -> [String] {
    var notes: [String] = []
    if let then = past["threads"]?.int, then != threads, step < length.steps {
      notes.append(
        "the checkpoint was computed with \(plural(then, "thread")), the rest is computed with \(threads): last "
          + "digits may differ from an uninterrupted training")
    }
    if let value = past["early_stopping"], value.int != earlyStopping {
      func text(_ count: Int?) -> String { count.map { String($0) } ?? "off" }
      var note = "--early-stopping changed from \(text(value.int)) to \(text(earlyStopping))"
      if let earlyStopping, let end = Self.end(of: Self.history(of: past), earlyStopping: earlyStopping), end < step {
        note += "; given from the start, it would have ended the training after step \(end)"
      }
      notes.append(note)
    }
    return notes
  }

  /// The step after which early stopping would have ended a training.
  private static func end(of history: [HistoryRow], earlyStopping: Int) -> Int? {
    var (best, count) = (Double.infinity, 0)
    for row in history {
      guard let loss = row.validationLoss else { continue }
      (best, count) = loss < best ? (loss, 0) : (best, count + 1)
      if count >= earlyStopping { return row.step }
    }
    return nil
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
  /// Fewer steps are asked for than the checkpoint has.
  case isLonger(done: Int, steps: Int, text: String)
  case dataChanged(_ data: Data, samplesThen: Int, samplesNow: Int)

  var message: String {
    switch self {
    case .optionChanged(let option, let then, let now):
      "cannot resume: --\(option) was \(then) and is \(now) now, and the training would be another"
    case .learningRateChanged(let then, let now):
      "cannot resume: --learning-rate was \(then) and is \(now) now"
    case .lengthChanged(let then, let now):
      "cannot resume: the length was \(then) and is \(now) now, and the learning rate depends on it"
    case .isLonger(let done, let steps, let text):
      "cannot resume: the training has \(plural(done, "step")) behind it, more than \(text)"
        + (text.hasPrefix("--max-steps") ? "" : " (\(plural(steps, "step")))")
    case .dataChanged(let data, let then, let now):
      "cannot resume: the \(data.rawValue) data is not what it was"
        + (then != now
          ? ": \(plural(then, "sample")) then, \(now) now" : "; there are as many samples, but others")
    }
  }

  var hint: String? {
    switch self {
    case .optionChanged("preset", _, _):
      "leave --preset out: the checkpoint holds the model; or start over with --overwrite"
    case .isLonger: "only a longer training can be resumed; start over with --overwrite"
    case .optionChanged, .dataChanged:
      "give what was given then; or train on from a checkpoint as a model: --preset OUTPUT/checkpoints/step-N --output OTHER"
    case .learningRateChanged: "if the change is meant, add --change-learning-rate"
    case .lengthChanged:
      "with --schedule constant and without --warmup-ratio it may differ; or train on from a checkpoint as a model (--preset)"
    }
  }
}
