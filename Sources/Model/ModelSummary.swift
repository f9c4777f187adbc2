import Text

/// A model's layers, what they put out, and the numbers they hold (Keras: `summary()`).
///
///     print(maskedLM.summary())
///
/// Names, shapes and counts are those that KerasHub shows. The head's count includes the token embedding, where it shares that with the
/// backbone; the totals count it once.
public struct ModelSummary: Sendable, Equatable {
  /// A layer, or a part made of layers.
  public struct Layer: Sendable, Equatable {
    /// `mlm_head`.
    public let name: String
    /// `MaskedLMHead`.
    public let type: String
    /// nil: any number. `[nil, nil, 768]`: samples, tokens, width.
    public let outputShape: [Int?]
    /// The numbers it holds, shared ones included.
    public let parameterCount: Int
    /// What it is made of.
    public var parts: [Layer] = []
  }

  /// `distil_bert_masked_lm`.
  public let name: String
  /// In the order of the computation.
  public let layers: [Layer]
  /// All numbers, each once.
  public let parameterCount: Int
  /// Those that `fit` moves.
  public let trainableParameterCount: Int
  /// Word pieces of the preprocessor's tokenizer; nil without one.
  public var vocabularyCount: Int?
  /// Of the numbers, those that two layers share.
  public let sharedParameterCount: Int

  /// Those that `fit` leaves as they are.
  public var frozenParameterCount: Int { parameterCount - trainableParameterCount }
}

extension ModelSummary {
  /// A whole model.
  ///
  /// - Parameter trainable: nil: all of it.
  public init(
    _ configuration: Configuration, trainableParameterCount trainable: Int? = nil, vocabularyCount: Int? = nil
  ) {
    let vocabulary = configuration.vocabularySize
    let shared = configuration.tiesWeights ? vocabulary * configuration.hiddenDim : 0
    let total = configuration.parameterCount
    name = "distil_bert_masked_lm"
    layers = [
      .input("mask_positions"), .input("padding_mask"), .input("token_ids"), .backbone(configuration),
      Layer(
        name: "mlm_head", type: "MaskedLMHead", outputShape: [nil, nil, vocabulary],
        parameterCount: total - configuration.backboneParameterCount + shared),
    ]
    parameterCount = total
    trainableParameterCount = trainable ?? total
    self.vocabularyCount = vocabularyCount
    sharedParameterCount = shared
  }

  /// An encoder alone.
  init(backbone configuration: Configuration, isTrainable: Bool) {
    name = "distil_bert_backbone"
    layers = [.input("padding_mask"), .input("token_ids")] + Layer.backbone(configuration).parts
    parameterCount = configuration.backboneParameterCount
    trainableParameterCount = isTrainable ? parameterCount : 0
    vocabularyCount = nil
    sharedParameterCount = 0
  }
}

extension ModelSummary.Layer {
  fileprivate static func input(_ name: String) -> Self {
    Self(name: name, type: "InputLayer", outputShape: [nil, nil], parameterCount: 0)
  }

  fileprivate static func backbone(_ configuration: Configuration) -> Self {
    let width = configuration.hiddenDim
    let table = configuration.parameterTable
    func part(_ name: String, _ type: String, _ isPart: (ParameterTable.Row) -> Bool) -> Self {
      let count = table.rows.reduce(0) { sum, row in isPart(row) ? sum + row.count : sum }
      return Self(name: name, type: type, outputShape: [nil, nil, width], parameterCount: count)
    }
    let embeddings = [
      part(
        "token_and_position_embedding", "TokenAndPositionEmbedding",
        { $0.part == .embeddings && $0.specification.role == .embedding }),
      part(
        "embeddings_layer_norm", "LayerNormalization",
        { $0.part == .embeddings && $0.specification.role != .embedding }),
      part("embeddings_dropout", "Dropout", { _ in false }),
    ]
    let layers = (0..<configuration.numLayers).map {
      layer in part("transformer_layer_\(layer)", "TransformerEncoder", { $0.part == .layer(layer) })
    }
    return Self(
      name: "distil_bert_backbone", type: "DistilBertBackbone", outputShape: [nil, nil, width],
      parameterCount: configuration.backboneParameterCount, parts: embeddings + layers)
  }

  /// `(any, any, 768)`.
  public var shapeText: String {
    "(" + outputShape.map { $0.map { String($0) } ?? "any" }.joined(separator: ", ") + ")"
  }
}

extension ModelSummary: CustomStringConvertible {
  /// A table for people, some lines without an end on the last one.
  public var description: String {
    var rows = [["layer", "type", "output shape", "parameters"]]
    func add(_ layer: Layer, _ indent: String) {
      rows.append([indent + layer.name, layer.type, layer.shapeText, Count.grouped(layer.parameterCount)])
      for part in layer.parts { add(part, indent + "  ") }
    }
    for layer in layers { add(layer, "") }
    let widths = (0..<4).map { column in rows.map { $0[column].utf8.count }.max() ?? 0 }
    var lines = rows.map { row in
      let left = (0..<3).map { row[$0] + String(repeating: " ", count: widths[$0] - row[$0].utf8.count) }
      return "  "
        + (left + [String(repeating: " ", count: widths[3] - row[3].utf8.count) + row[3]]).joined(separator: "  ")
    }
    lines.insert(name, at: 0)
    if let vocabularyCount {
      lines.insert("  preprocessor: \(Count.grouped(vocabularyCount)) word pieces", at: 1)
    }
    lines.append("  \(Count.grouped(parameterCount)) parameters: \(trainabilityText)")
    if sharedParameterCount > 0 {
      lines.append(
        "  (the head shares the \(Count.grouped(sharedParameterCount)) of the token embedding, which count once)"
      )
    }
    return lines.joined(separator: "\n")
  }

  private var trainabilityText: String {
    "\(Count.grouped(trainableParameterCount)) trainable, "
      + "\(Count.grouped(frozenParameterCount)) frozen"
  }
}
