import Files
import Model
import Text

/// The record in a checkpoint of `mlm fit`, next to model and counters. Identifies the training, so that a resumed run
/// can refuse other options or text, and holds the history so far.
struct FitRecord {
  /// The options that a resumed run must share.
  let key: [FitOptions.KeyEntry]
  let learningRate: String
  let length: Length
  let training: CorpusFingerprint
  let validation: CorpusFingerprint?
  /// `DistilBertMaskedLM.fingerprint` of the model before the first step; empty if unknown.
  let model: String
  let threads: Int
  let earlyStopping: Int?

  /// The length of the training.
  struct Length: Equatable {
    /// The options that set it.
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

  /// The fingerprints of the texts.
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
      // The weights of the means. If one is unknown, token counts replace them all.
      ("history_weights", .array(weights.count == rows.count ? weights.map { .number($0) } : [])),
    ])
  }

  static func history(of past: JSONValue) -> [HistoryRow] {
    HistoryRow.rows(
      csv: past["history"]?.string ?? "", weights: past["history_weights"]?.array?.compactMap(\.double) ?? [])
  }
}

/// Refuses to resume from a checkpoint if the result would differ from that of an uninterrupted training.
extension FitRecord {
  /// Checks everything that does not depend on the text.
  ///
  /// - Parameters:
  ///   - past: the record of the checkpoint.
  ///   - isSameModel: whether these options begin with the model of that fingerprint; called if the name of the preset
  ///     or the vocabulary has changed.
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

  /// Checks the text and the length.
  ///
  /// - Parameter step: the step of the checkpoint.
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

  /// Notes on differences that are allowed but can change the result, one line each.
  func notes(against past: JSONValue, at step: Int) -> [String] {
    var notes: [String] = []
    if let then = past["threads"]?.int, then != threads, step < length.steps {
      notes.append(
        "--threads changed from \(then) to \(threads), so the last digits may differ from an uninterrupted training")
    }
    if let value = past["early_stopping"], value.int != earlyStopping {
      func text(_ count: Int?) -> String { count.map { String($0) } ?? "off" }
      var note = "--early-stopping changed from \(text(value.int)) to \(text(earlyStopping))"
      if let earlyStopping, let end = Self.end(of: Self.history(of: past), earlyStopping: earlyStopping), end < step {
        note += "; from the start, it would have stopped the training after step \(end)"
      }
      notes.append(note)
    }
    return notes
  }

  /// The step after which early stopping would have stopped a training.
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

/// The reasons why a training cannot be resumed from a checkpoint.
enum ResumeError: ModelError, Equatable {
  enum Data: String, Sendable { case training, validation }

  case optionChanged(_ option: String, then: String, now: String)
  case learningRateChanged(then: String, now: String)
  case lengthChanged(then: String, now: String)
  /// The requested length is shorter than the checkpoint's number of steps.
  case isLonger(done: Int, steps: Int, text: String)
  case dataChanged(_ data: Data, samplesThen: Int, samplesNow: Int)

  var message: String {
    switch self {
    case .optionChanged(let option, let then, let now):
      "cannot resume: --\(option) changed from \(then) to \(now)"
    case .learningRateChanged(let then, let now):
      "cannot resume: --learning-rate changed from \(then) to \(now)"
    case .lengthChanged(let then, let now):
      "cannot resume: the length changed from \(then) to \(now), and the learning rate depends on it"
    case .isLonger(let done, let steps, let text):
      "cannot resume: the training has already done \(plural(done, "step")), more than \(text)"
        + (text.hasPrefix("--max-steps") ? "" : " (\(plural(steps, "step")))")
    case .dataChanged(let data, let then, let now):
      "cannot resume: the \(data.rawValue) data changed"
        + (then != now ? " from \(plural(then, "sample")) to \(now)" : "; the number of samples is the same")
    }
  }

  var hint: String? {
    switch self {
    case .optionChanged("preset", _, _):
      "omit --preset, because the checkpoint holds the model; or start over with --overwrite"
    case .isLonger: "give a longer length, or start over with --overwrite"
    case .optionChanged, .dataChanged:
      "use the original value; or start a new training from a checkpoint: "
        + "--preset OUTPUT/checkpoints/step-N --output OTHER"
    case .learningRateChanged: "add --change-learning-rate if this is intended"
    case .lengthChanged:
      "use the original length; or start a new training from a checkpoint: "
        + "--preset OUTPUT/checkpoints/step-N --output OTHER"
    }
  }
}
