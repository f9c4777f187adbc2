import Text

/// Published outputs of a model, with which a download is verified.
package struct PublishedValues: Sendable, Equatable {
  /// The input of the model.
  package enum Input: Sendable, Equatable {
    /// Text with one `[MASK]`.
    case text(String)
    /// Padded token IDs. A mask value of 0 marks padding, which other tokens do not attend to.
    case tokens(ids: [Int], paddingMask: [Int])
  }

  /// The expected output.
  package enum Expectation: Sendable, Equatable {
    /// The best word pieces for a mask, in order. `position`: the position of the mask, for token IDs.
    case predictions([Prediction], position: Int?)
    /// A block of the encoder's output, [token][unit], that begins at the given token and unit.
    case hiddenStates([[Double]], firstToken: Int, firstUnit: Int)
  }

  /// One of the best word pieces.
  package struct Prediction: Sendable, Equatable {
    /// The word piece.
    package let token: String
    /// The word piece's ID.
    package let id: Int
    /// The probability; nil if only the word piece is published.
    package let score: Double?
  }

  /// The publisher.
  package let source: String
  /// The input of the model.
  package let input: Input
  /// A description of the input, for token IDs.
  package let about: String?
  /// The expected output.
  package let expectation: Expectation
  /// The largest difference from a published value.
  package let tolerance: Double
}

extension PublishedValues {
  /// Reads an element of "published"; nil if it is invalid.
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
  /// The input and the publisher, for messages.
  package var subject: String { "\(inputText) (\(source))" }

  /// The input, for messages.
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
