import Files

/// A part of the model that can be kept as it is in training.
public enum ModelPart: Sendable, Equatable {
  /// Tokens, positions and their norm. The head shares the token embedding.
  case embeddings
  /// Encoder layers, counted from 0.
  case layers(ClosedRange<Int>)
  /// Embeddings and all layers (Keras: `backbone.trainable = False`).
  case backbone
  /// Everything behind the last layer, but for the token embedding.
  case head

  /// `embeddings`, `layers:0-3`, `layers:2`, `backbone`, `head`; nil for other text.
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

  /// Digits alone: `Int` would take a sign.
  private static func number(_ digits: Substring.UTF8View) -> Int? {
    digits.allSatisfy { $0 &- UInt8(ascii: "0") < 10 } ? Int(String(decoding: digits, as: UTF8.self)) : nil
  }

  /// As `init(_:)` reads it.
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

extension DistilBertMaskedLM {
  /// Keeps parts of the model as they are in `fit`. Below the lowest part that is trained, no activations are kept and no backward is run.
  public func freeze(_ parts: [ModelPart]) throws(FreezeError) {
    let layers = configuration.numLayers
    for case .layers(let range) in parts where range.upperBound >= layers {
      throw .noSuchLayer(part: ModelPart.layers(range).text, layers: layers)
    }
    let parameters = network.parameters.parameters
    for parameter in network.parameters(where: { row in parts.contains { $0.contains(row) } }) {
      parameter.isTrainable = false
    }
    if !parameters.contains(where: \.isTrainable) { throw .nothingLeft }
  }
}

/// Parts of a model that cannot be frozen.
public enum FreezeError: ModelError, Equatable {
  /// A layer that the model does not have.
  case noSuchLayer(part: String, layers: Int)
  /// Nothing would be trained.
  case nothingLeft

  public var message: String {
    switch self {
    case .noSuchLayer(let part, let layers):
      "cannot freeze \(part): the model has \(layers) layer\(layers == 1 ? ", 0" : "s, 0 to \(layers - 1)")"
    case .nothingLeft: "everything is frozen, and nothing is left to train"
    }
  }
}
