import Hub
import Text

extension DistilBertMaskedLM {
  /// Computes the published values of this model in its precision, and compares them. The published values are
  /// float32's, so the other precisions have tolerances of their own.
  func check(_ values: PublishedValues) throws -> PresetCheck {
    let subject = values.subject
    switch values.expectation {
    case .predictions(let expected, let position):
      guard hasTrainedHead else { return PresetCheck(subject, .differs, "the model has no trained head") }
      let sample = try sample(values.input, maskPosition: position)
      let found = try rank([sample], topK: expected.count).first?.first ?? []
      guard let tolerance = Nearness.tolerance(ofProbabilitiesIn: precision) else {
        return PresetCheck(subject, compare(found, expected, tolerance: values.tolerance))
      }
      let scores = try rank([sample], topK: expected.count, targets: expected.map(\.id)).first?.first ?? []
      return PresetCheck(
        subject, compare(found, scores, expected, tolerance: values.tolerance + tolerance))
    case .hiddenStates(let expected, let token, let unit):
      guard case .tokens(let ids, let mask) = values.input else {
        return PresetCheck(subject, .differs, "hidden states are published only for token ids")
      }
      let states = try hiddenStates(ids, paddingMask: mask)
      let tolerance = values.tolerance + (Nearness.tolerance(ofHiddenStatesIn: precision) ?? 0)
      return PresetCheck(subject, compare(states, expected, token, unit, tolerance: tolerance))
    }
  }

  /// Returns the encoder's output for padded token ids: [token][width]. The rows of padding are empty.
  func hiddenStates(_ tokenIDs: [Int], paddingMask: [Int]) throws -> [[Float]] {
    var rows = try backbone(
      MaskedLMFeatures(tokenIDs: [tokenIDs], paddingMask: [paddingMask], maskPositions: [[]]))[0].makeIterator()
    return paddingMask.map { $0 == 1 ? rows.next() ?? [] : [] }
  }

  private func sample(_ input: PublishedValues.Input, maskPosition: Int?) throws -> Sample {
    switch input {
    case .text(let text):
      guard let tokenizer = preprocessor?.tokenizer else { throw ModelUseError.noPreprocessor }
      let length = min(512, configuration.maxSequenceLength)
      return try MaskedText(Array(text.utf8), tokenizer: tokenizer, sequenceLength: length).sample
    case .tokens(let ids, let mask):
      let features = MaskedLMFeatures(tokenIDs: [ids], paddingMask: [mask], maskPositions: [[maskPosition ?? 0]])
      return try features.samples(
        vocabularySize: configuration.vocabularySize, maximumLength: configuration.maxSequenceLength)[0]
    }
  }

  private func compare(
    _ found: [TokenScore], _ expected: [PublishedValues.Prediction], tolerance: Double
  ) -> PresetCheck.Result {
    var nearness = Nearness(tolerance: tolerance)
    for (rank, prediction) in expected.enumerated() {
      guard rank < found.count else { return (.differs, "rank \(rank + 1) is missing") }
      let (id, score) = (found[rank].token, Double(found[rank].probability))
      let vocabulary = preprocessor?.tokenizer.vocabulary
      let piece = vocabulary.map { id < $0.count ? $0.piece(id) : "" } ?? ""
      guard id == prediction.id else {
        return (
          .differs, "rank \(rank + 1) is '\(piece)' (\(id)), not the published '\(prediction.token)' (\(prediction.id))"
        )
      }
      guard let published = prediction.score else { continue }
      if let result = nearness.differs("'\(prediction.token)' has the score", score, published) { return result }
    }
    return (.ok, nearness.agreement(on: expected))
  }

  /// Compares predictions of another precision than float32: pieces may change places where their scores are close.
  private func compare(
    _ best: [TokenScore], _ found: [TokenScore], _ expected: [PublishedValues.Prediction], tolerance: Double
  ) -> PresetCheck.Result {
    var nearness = Nearness(tolerance: tolerance)
    for (rank, prediction) in expected.enumerated() {
      guard let score = found.first(where: { $0.token == prediction.id }).map({ Double($0.probability) }) else {
        return (.differs, "rank \(rank + 1), '\(prediction.token)' (\(prediction.id)), is missing")
      }
      if let published = prediction.score {
        if let result = nearness.differs("'\(prediction.token)' has the score", score, published) { return result }
      }
      // The best pieces need not be the published ones, but no others may be clearly better.
      if prediction.score == nil || rank == 0, rank < best.count, best[rank].token != prediction.id {
        let other = Double(best[rank].probability)
        guard other - score <= tolerance else {
          return (
            .differs,
            "rank \(rank + 1) is (\(best[rank].token)) with \(Nearness.figure(other)), and the published "
              + "'\(prediction.token)' (\(prediction.id)) has \(Nearness.figure(score)) (tolerance "
              + "\(Nearness.figure(tolerance)))"
          )
        }
      }
    }
    return (.ok, nearness.agreement(on: expected) + " (\(precision.rawValue): tolerance \(Nearness.figure(tolerance)))")
  }

  private func compare(
    _ states: [[Float]], _ expected: [[Double]], _ token: Int, _ unit: Int, tolerance: Double
  ) -> PresetCheck.Result {
    var (nearness, count) = (Nearness(tolerance: tolerance), 0)
    for (row, values) in expected.enumerated() {
      let index = token + row
      guard index < states.count, unit + values.count <= states[index].count else {
        return (
          .differs, "the model has no hidden states at token \(index), units \(unit) to \(unit + values.count - 1)"
        )
      }
      for (column, published) in values.enumerated() {
        let found = Double(states[index][unit + column])
        let what = "the hidden state at token \(index), unit \(unit + column) is"
        if let result = nearness.differs(what, found, published) { return result }
        count += 1
      }
    }
    return (.ok, "\(count) hidden states differ by at most \(Nearness.figure(nearness.largest))")
  }
}

/// Compares figures with the published ones.
private struct Nearness {
  let tolerance: Double
  /// The largest difference so far.
  private(set) var largest = 0.0

  init(tolerance: Double) { self.tolerance = tolerance }

  /// How far a probability in a precision may be from float32's; nil for float32.
  ///
  /// About twice the largest difference of 2,500 probabilities, the five best of 500 masks in WikiText-2: bfloat16
  /// 0.0087 with the embedded preset and 0.0041 with BERT-tiny, int8 0.028 and 0.017.
  static func tolerance(ofProbabilitiesIn precision: Precision) -> Double? {
    switch precision {
    case .float32: nil
    case .bfloat16: 0.02
    case .int8: 0.05
    }
  }

  /// How far a hidden state in a precision may be from float32's; nil for float32.
  ///
  /// About twice the largest difference of all states of 12 paragraphs (root mean square 0.9 and 1.1): bfloat16 0.057
  /// with the embedded preset and 0.018 with BERT-tiny, int8 0.20 and 0.087.
  static func tolerance(ofHiddenStatesIn precision: Precision) -> Double? {
    switch precision {
    case .float32: nil
    case .bfloat16: 0.1
    case .int8: 0.4
    }
  }

  /// Returns nil for a figure within the tolerance.
  mutating func differs(_ what: String, _ found: Double, _ published: Double) -> PresetCheck.Result? {
    let difference = (found - published).magnitude
    // Not "greater than": NaN must differ.
    guard difference <= tolerance else {
      return (
        .differs,
        "\(what) \(Self.figure(found)), not the published \(Self.figure(published)) "
          + "(tolerance \(Self.figure(tolerance)))"
      )
    }
    largest = max(largest, difference)
    return nil
  }

  /// The words that agree, and how much their scores differ.
  func agreement(on expected: [PublishedValues.Prediction]) -> String {
    let words = expected.map { "'\($0.token)'" }.joined(separator: ", ")
    guard expected.contains(where: { $0.score != nil }) else { return words }
    return "\(words); scores differ by at most \(Self.figure(largest))"
  }

  static func figure(_ number: Double) -> String { FloatText.significant(number, digits: 6) }
}

extension PresetCheck {
  typealias Result = (outcome: Outcome, details: String)

  fileprivate init(_ subject: String, _ result: Result) { self.init(subject, result.outcome, result.details) }
}
