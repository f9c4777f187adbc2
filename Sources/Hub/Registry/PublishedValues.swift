import Text

/// Figures that others have published of a model: by them a download is known to be right.
package struct PublishedValues: Sendable, Equatable {
  /// What a model is given.
  package enum Input: Sendable, Equatable {
    /// Text with one `[MASK]`.
    case text(String)
    /// Padded token ids. A mask of 0 is padding, which the others do not see.
    case tokens(ids: [Int], paddingMask: [Int])
  }

  /// What it should answer.
  package enum Expectation: Sendable, Equatable {
    /// The best word pieces of a mask in their order. `position` is where it stands, for token ids.
    case predictions([Prediction], position: Int?)
    /// A block of the encoder's output: [token][unit], from that padded token and that unit on.
    case hiddenStates([[Double]], firstToken: Int, firstUnit: Int)
  }

  /// A word piece among the best.
  package struct Prediction: Sendable, Equatable {
    /// Its spelling.
    package let token: String
    /// Its id.
    package let id: Int
    /// The probability; nil where the word alone is published.
    package let score: Double?
  }

  /// Who published it.
  package let source: String
  /// What the model is given.
  package let input: Input
  /// The input in words, where it is token ids.
  package let about: String?
  /// What it should answer.
  package let expectation: Expectation
  /// How far a figure may be from the published one.
  package let tolerance: Double
}

extension PublishedValues {
  /// Reads an element of "published"; nil where it makes no sense.
  package init?(_ json: JSONValue) {
    source = json["source"]?.string ?? "published"
    about = json["about"]?.string
    tolerance = json["tolerance"].map { $0.double ?? .nan } ?? 0
    guard tolerance.isFinite, tolerance >= 0 else { return nil }
    if let text = json["text"]?.string {
      input = .text(text)
    } else {
      guard let ids = Self.integers(json["token_ids"]), !ids.isEmpty else { return nil }
      let mask = json["padding_mask"].map { Self.integers($0) } ?? [Int](repeating: 1, count: ids.count)
      guard let mask, mask.count == ids.count, mask.allSatisfy({ $0 == 0 || $0 == 1 }) else { return nil }
      input = .tokens(ids: ids, paddingMask: mask)
    }
    if let list = json["predictions"]?.array {
      let predictions = list.compactMap { Self.prediction($0) }
      guard predictions.count == list.count, !list.isEmpty else { return nil }
      let position = json["mask_position"]?.int
      if case .tokens(let ids, let mask) = input {
        guard let position, ids.indices.contains(position), mask[position] == 1 else { return nil }
      }
      expectation = .predictions(predictions, position: position)
      return
    }
    guard case .tokens(let ids, let mask) = input, let block = json["hidden_states"],
      let rows = block["values"]?.array?.map({ $0.array?.compactMap(\.double) ?? [] })
    else { return nil }
    let (token, unit) = (block["first_token"]?.int ?? 0, block["first_unit"]?.int ?? 0)
    guard !rows.isEmpty, rows.allSatisfy({ !$0.isEmpty }), token >= 0, token < ids.count,
      rows.count <= ids.count - token, (token..<token + rows.count).allSatisfy({ mask[$0] == 1 }), unit >= 0,
      unit < 1 << 20
    else { return nil }
    expectation = .hiddenStates(rows, firstToken: token, firstUnit: unit)
  }

  private static func integers(_ json: JSONValue?) -> [Int]? {
    guard let list = json?.array else { return nil }
    let numbers = list.compactMap(\.int)
    return numbers.count == list.count ? numbers : nil
  }

  private static func prediction(_ json: JSONValue) -> Prediction? {
    guard let token = json["token"]?.string, let id = json["id"]?.int else { return nil }
    guard let score = json["score"] else { return Prediction(token: token, id: id, score: nil) }
    return score.double.map { Prediction(token: token, id: id, score: $0) }
  }
}

extension PublishedValues {
  /// The input, and who published what comes of it.
  package var subject: String { "\(inputText) (\(source))" }

  /// The input as a person would name it.
  package var inputText: String {
    if let about { return "\"\(about)\"" }
    switch input {
    case .text(let text): return "\"\(text)\""
    case .tokens(let ids, _):
      let shown = ids.prefix(6).map(String.init).joined(separator: " ")
      return "ids \(shown)\(ids.count > 6 ? " …" : "")"
    }
  }
}
