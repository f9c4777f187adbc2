import Hub
import Text

extension DistilBertMaskedLM {
  /// Computes the published values of this model, and compares them.
  func check(_ values: PublishedValues) throws -> PresetCheck {
    let subject = values.subject
    switch values.expectation {
    case .predictions(let expected, let position):
      guard hasTrainedHead else { return PresetCheck(subject, .differs, "the model has no trained head") }
      let sample = try sample(values.input, maskPosition: position)
      let found = try rank([sample], topK: expected.count).first?.first ?? []
      return PresetCheck(subject, compare(found, expected, tolerance: values.tolerance))
    case .hiddenStates(let expected, let token, let unit):
      guard case .tokens(let ids, let mask) = values.input else {
        return PresetCheck(subject, .differs, "hidden states are published only for token ids")
      }
      let states = try hiddenStates(ids, paddingMask: mask)
      return PresetCheck(subject, compare(states, expected, token, unit, tolerance: values.tolerance))
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
    let words = expected.map { "'\($0.token)'" }.joined(separator: ", ")
    guard expected.contains(where: { $0.score != nil }) else { return (.ok, words) }
    return (.ok, "\(words); scores differ by at most \(Nearness.figure(nearness.largest))")
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

  static func figure(_ number: Double) -> String { FloatText.significant(number, digits: 6) }
}

extension PresetCheck {
  typealias Result = (outcome: Outcome, details: String)

  fileprivate init(_ subject: String, _ result: Result) { self.init(subject, result.outcome, result.details) }
}
