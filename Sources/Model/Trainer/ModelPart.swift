import Files

/// A part of the model that can be frozen in training.
public enum ModelPart: Sendable, Equatable {
  /// Token and position embeddings and their norm. The head shares the token embedding.
  case embeddings
  /// Encoder layers, counted from 0.
  case layers(ClosedRange<Int>)
  /// Embeddings and all layers (Keras: `backbone.trainable = False`).
  case backbone
  /// Everything after the last layer, except for the token embedding.
  case head

  /// Parses `embeddings`, `layers:0-3`, `layers:2`, `backbone` or `head`; returns nil for other text.
  public init?(_ text: String) {
    switch text {
    case "embeddings": self = .embeddings
    case "backbone": self = .backbone
    case "head": self = .head
    default:
      let prefix = "layers:"
      guard text.hasPrefix(prefix) else { return nil }
      let bounds = text.utf8.dropFirst(prefix.utf8.count).split(
        separator: UInt8(ascii: "-"), omittingEmptySubsequences: false
      ).map { Self.number($0) }
      guard (1...2).contains(bounds.count), let first = bounds[0], let last = bounds[bounds.count - 1], first <= last
      else { return nil }
      self = .layers(first...last)
    }
  }

  /// Parses digits only; `Int` would accept a sign.
  private static func number(_ digits: Substring.UTF8View) -> Int? {
    digits.allSatisfy { $0 &- UInt8(ascii: "0") < 10 } ? Int(String(decoding: digits, as: UTF8.self)) : nil
  }

  /// The text that `init(_:)` parses.
  public var text: String {
    switch self {
    case .embeddings: "embeddings"
    case .layers(let range):
      range.count == 1 ? "layers:\(range.lowerBound)" : "layers:\(range.lowerBound)-\(range.upperBound)"
    case .backbone: "backbone"
    case .head: "head"
    }
  }

  func contains(_ row: ParameterTable.Row) -> Bool {
    switch self {
    case .embeddings: row.part == .embeddings
    case .layers(let range): if case .layer(let layer) = row.part { range.contains(layer) } else { false }
    case .backbone: row.isBackbone
    case .head: !row.isBackbone
    }
  }
}
