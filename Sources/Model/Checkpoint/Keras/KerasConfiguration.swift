import Text

/// KerasHub's config.json: a serialized DistilBertBackbone.
///
/// Source: KerasHub's `DistilBertBackbone.get_config`. `dtype` is ignored: the model computes in 32-bit floats,
/// whatever the type of the stored variables.
extension Configuration {
  /// ε of the LayerNorm in KerasHub's MaskedLMHead. No file contains it.
  static let kerasHeadLayerNormEpsilon: Float = 1e-5

  /// - Parameter file: the name in errors.
  init(kerasHub json: JSONValue, file: String) throws(CheckpointError) {
    // "keras_hub>DistilBertBackbone"; in older versions "keras_nlp>DistilBertBackbone".
    let name = json["registered_name"]?.string ?? json["class_name"]?.string
    guard let name else { throw .missingKey(file: file, key: "registered_name") }
    let type = name.utf8.lastIndex(of: UInt8(ascii: ">")).map { String(name[name.utf8.index(after: $0)...]) } ?? name
    guard type == "DistilBertBackbone" else { throw .otherKerasModel(file: file, found: type) }
    guard let config = json["config"] else { throw .missingKey(file: file, key: "config") }
    guard config.object != nil else {
      throw .wrongKind(file: file, key: "config", expected: "an object", found: config.kindName)
    }
    let reader = KeyReader(json: config, file: file)
    self.init(headLayerNormEpsilon: Self.kerasHeadLayerNormEpsilon)
    vocabularySize = try reader.requiredSize("vocabulary_size", most: Limit.vocabularySize)
    numLayers = try reader.requiredSize("num_layers", most: Limit.numLayers)
    numHeads = try reader.requiredSize("num_heads", most: Limit.numHeads)
    hiddenDim = try reader.requiredSize("hidden_dim", most: Limit.hiddenDim)
    intermediateDim = try reader.requiredSize("intermediate_dim", most: Limit.intermediateDim)
    maxSequenceLength = try reader.size(
      "max_sequence_length", default: maxSequenceLength, most: Limit.maxSequenceLength)
    guard hiddenDim % numHeads == 0 else { throw .headsDoNotDivide(file: file, dim: hiddenDim, heads: numHeads) }
    dropout = try reader.rate("dropout", default: dropout)
    attentionDropout = dropout
    try checkParameterCount(file)
  }
}
