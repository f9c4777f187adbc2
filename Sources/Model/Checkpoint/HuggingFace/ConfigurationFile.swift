import Files
import Hub
import Text

/// Reading and writing of config.json.
///
/// Reading: missing sizes and rates get transformers' defaults, other tools' names are recognized, and unknown keys are
/// kept and written back. KerasHub's file of the same name is also read (`Configuration.init(kerasHub:file:)`), but
/// never written. Writing: a file that transformers 4 and 5 load as DistilBertForMaskedLM.
extension Configuration {
  /// The key for this project's ε of the head, for which the format has no key.
  static let headEpsilonKey = "mlm_head_layer_norm_eps"

  /// The classes that the file names, such as DistilBertForMaskedLM; nil if it names none.
  public var architectures: [String]? { source["architectures"]?.array?.compactMap(\.string) }

  /// Reads a config.json. Throws `CheckpointError`, `JSONError` or `FileError`.
  public static func load(file: String) throws -> Configuration {
    try Configuration(json: JSONValue.load(file: file), file: file)
  }

  /// - Parameter file: the name in errors.
  package init(json: JSONValue, file: String) throws(CheckpointError) {
    guard json.object != nil else { throw .notAnObject(file: file, found: json.kindName) }
    if ModelFiles.isKerasHub(json) {
      self = try Configuration(kerasHub: json, file: file)
      return
    }
    guard let type = json["model_type"], !type.isNull else { throw .missingModelType(file: file) }
    guard type.string == "distilbert" else {
      throw .otherModelType(file: file, found: type.string ?? type.kindName)
    }
    let reader = KeyReader(json: json, file: file)
    self.init()
    source = json
    vocabularySize = try reader.size("vocab_size", default: vocabularySize, most: Limit.vocabularySize)
    hiddenDim = try reader.size("dim", alias: "hidden_size", default: hiddenDim, most: Limit.hiddenDim)
    numLayers = try reader.size("n_layers", alias: "num_hidden_layers", default: numLayers, most: Limit.numLayers)
    numHeads = try reader.size("n_heads", alias: "num_attention_heads", default: numHeads, most: Limit.numHeads)
    intermediateDim = try reader.size(
      "hidden_dim", alias: "intermediate_size", default: intermediateDim, most: Limit.intermediateDim)
    maxSequenceLength = try reader.size(
      "max_position_embeddings", default: maxSequenceLength, most: Limit.maxSequenceLength)
    guard hiddenDim % numHeads == 0 else { throw .headsDoNotDivide(file: file, dim: hiddenDim, heads: numHeads) }
    dropout = try reader.rate("dropout", default: dropout)
    attentionDropout = try reader.rate("attention_dropout", default: attentionDropout)
    initializerRange = try reader.real("initializer_range", default: initializerRange, within: 0...100)
    headLayerNormEpsilon = try reader.real(Self.headEpsilonKey, default: headLayerNormEpsilon, within: 0...1)
    if let name = json["activation"], !name.isNull {
      guard let text = name.string else {
        throw .wrongKind(file: file, key: "activation", expected: "a string", found: name.kindName)
      }
      guard let known = Activation(rawValue: text) else { throw .unknownActivation(file: file, name: text) }
      activation = known
    }
    // No version of transformers applied `tie_weights_`, which old files also have.
    tiesWeights = try reader.bool("tie_word_embeddings") ?? true
    paddingTokenID = try reader.token("pad_token_id", below: vocabularySize, default: 0)
    try checkParameterCount(file)
  }

  func checkParameterCount(_ file: String) throws(CheckpointError) {
    // No factor exceeds 2²⁴, so no product or sum below overflows.
    let count = parameterCount
    guard count <= 1 << 34 else { throw .tooManyParameters(file: file, count: count) }
  }

  /// The file as JSON, for a model with a head and weights of 32-bit floats. Keys are sorted, as in transformers.
  package var json: JSONValue { json(weights: .float32, hasHead: true) }

  /// - Parameters:
  ///   - weights: the element type of the written weights.
  ///   - hasHead: whether a masked-language-model head is written.
  ///   - unquantized: with int8 weights: the Dense layers that are not in int8.
  func json(weights: ElementType, hasHead: Bool, unquantized: [String] = []) -> JSONValue {
    var json = source
    json.remove(QuantizationConfiguration.key)
    if weights == .int8 {
      json.set(QuantizationConfiguration.key, QuantizationConfiguration.json(ignoring: unquantized))
    }
    for (alias, key) in [
      ("hidden_size", "dim"), ("num_hidden_layers", "n_layers"), ("num_attention_heads", "n_heads"),
      ("intermediate_size", "hidden_dim"),
    ] { json.rename(alias, to: key) }

    json.update("activation", .string(activation.rawValue))
    json.update("architectures", .array([.string(hasHead ? "DistilBertForMaskedLM" : "DistilBertModel")]))
    json.update("attention_dropout", attentionDropout)
    json.update("dim", .number(hiddenDim))
    json.update("dropout", dropout)
    json.update("hidden_dim", .number(intermediateDim))
    json.update("initializer_range", initializerRange)
    json.update("max_position_embeddings", .number(maxSequenceLength))
    json.update("model_type", .string("distilbert"))
    json.update("n_heads", .number(numHeads))
    json.update("n_layers", .number(numLayers))
    json.update("pad_token_id", paddingTokenID.map { .number($0) } ?? .null)
    json.update("tie_weights_", .bool(tiesWeights))
    json.update("vocab_size", .number(vocabularySize))
    for (key, value) in [
      ("qa_dropout", JSONValue.number(0.1)), ("seq_classif_dropout", .number(0.2)),
      ("sinusoidal_pos_embds", .bool(false)),
    ] where json[key] == nil { json.set(key, value) }
    // Other tools assume true if the key is missing.
    if !tiesWeights || json["tie_word_embeddings"] != nil { json.update("tie_word_embeddings", .bool(tiesWeights)) }
    // The element type of the written weights, if the file specifies one. For int8: the type that others compute in.
    let type =
      switch weights {
      case .float16: "float16"
      case .bfloat16: "bfloat16"
      default: "float32"
      }
    if weights != .float32, json["dtype"] == nil { json.set("torch_dtype", .string(type)) }
    for key in ["torch_dtype", "dtype"] where json[key] != nil { json.update(key, .string(type)) }
    if headLayerNormEpsilon != 1e-12 || json[Self.headEpsilonKey] != nil {
      json.update(Self.headEpsilonKey, headLayerNormEpsilon)
    }
    guard let members = json.object else { return json }
    return .object(members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
  }

  /// Notes on a directory to which this is written, one line each: values that other tools do not read from it.
  public var notesOnWriting: [String] {
    if headLayerNormEpsilon == 1e-12 { return [] }
    let epsilon = FloatText.shortest(headLayerNormEpsilon)
    return [
      "the head's LayerNorm epsilon is \(epsilon), as in KerasHub, saved as '\(Self.headEpsilonKey)' in config.json; "
        + "transformers always uses 1e-12, and gives slightly different scores"
    ]
  }

  /// The bytes of config.json.
  public var fileBytes: [UInt8] { fileBytes(weights: .float32, hasHead: true) }

  func fileBytes(weights: ElementType, hasHead: Bool, unquantized: [String] = []) -> [UInt8] {
    json(weights: weights, hasHead: hasHead, unquantized: unquantized)
      .serialized(.indented(2), endingInNewline: true)
  }
}

extension JSONValue {
  /// Loads the JSON text of a file.
  static func load(file: String, withPaths: Bool = false) throws -> JSONValue {
    try FileMapping(path: file).withText { text throws(JSONError) in
      try JSONValue.parse(text, file: file, withPaths: withPaths)
    }
  }

  /// Sets a key, unless it already has an equivalent value.
  fileprivate mutating func update(_ key: String, _ value: JSONValue) {
    if let old = self[key], old == value || (old.int != nil && old.int == value.int) { return }
    set(key, value)
  }

  fileprivate mutating func update(_ key: String, _ value: Float) {
    if let old = self[key]?.double, Float(old) == value { return }
    set(key, .number(Double(value), literal: FloatText.shortest(value)))
  }

  fileprivate mutating func remove(_ key: String) {
    guard let members = object, self[key] != nil else { return }
    self = .object(members.filter { $0.key != key })
  }

  fileprivate mutating func rename(_ alias: String, to key: String) {
    guard var members = object, let index = members.firstIndex(where: { $0.key == alias }) else { return }
    if self[key] == nil { members[index].key = key } else { members.remove(at: index) }
    self = .object(members)
  }
}
