import Text

/// A model's layers, with their output shapes and parameter counts (Keras: `summary()`).
///
///     print(maskedLM.summary())
///
/// Names, shapes and counts are those that KerasHub shows. The head's count includes a token embedding that it shares
/// with the backbone; the totals count it once.
public struct ModelSummary: Sendable, Equatable {
  /// A layer, or a group of layers.
  public struct Layer: Sendable, Equatable {
    /// The layer's name, such as `mlm_head`.
    public let name: String
    /// The layer's class, such as `MaskedLMHead`.
    public let type: String
    /// The sizes of the output, nil for any number. `[nil, nil, 768]`: samples, tokens, width.
    public let outputShape: [Int?]
    /// The number of parameters, shared ones included.
    public let parameterCount: Int
    /// The layers that it consists of.
    public var parts: [Layer] = []
  }

  /// The model's name, such as `distil_bert_masked_lm`.
  public let name: String
  /// The layers, in the order of computation.
  public let layers: [Layer]
  /// The number of parameters; shared ones count once.
  public let parameterCount: Int
  /// The number of parameters that `fit` trains.
  public let trainableParameterCount: Int
  /// The number of word pieces of the preprocessor's tokenizer; nil without a preprocessor.
  public var vocabularyCount: Int?
  /// The number of parameters that two layers share.
  public let sharedParameterCount: Int

  /// The number of frozen parameters, which `fit` leaves unchanged.
  public var frozenParameterCount: Int { parameterCount - trainableParameterCount }
}

extension ModelSummary {
  /// Summarizes a whole model.
  ///
  /// - Parameter trainable: the number of trainable parameters; nil: all.
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

  /// Summarizes an encoder.
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

  /// The output shape as text, such as `(any, any, 768)`.
  public var shapeText: String {
    "(" + outputShape.map { $0.map { String($0) } ?? "any" }.joined(separator: ", ") + ")"
  }
}

extension ModelSummary: CustomStringConvertible {
  /// The summary as a table, without a final newline.
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
        "  (the head shares the token embedding's \(Count.grouped(sharedParameterCount)) parameters; they count once)"
      )
    }
    return lines.joined(separator: "\n")
  }

  private var trainabilityText: String {
    "\(Count.grouped(trainableParameterCount)) trainable, "
      + "\(Count.grouped(frozenParameterCount)) frozen"
  }
}
