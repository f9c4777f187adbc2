import Text

/// The parts of a Hugging Face tokenizer.json that a WordPiece tokenizer needs.
///
/// The vocabulary is parsed without building a tree (the multilingual one has 119,547 entries). Truncation, padding and
/// the post-processor are ignored, because the preprocessor does the packing.
struct TokenizerJSON {
  /// The pieces and their ids, in the order of the file.
  private(set) var pieces: PieceList
  private(set) var ids: [Int] = []
  private(set) var addedTokens: [AddedToken] = []
  private(set) var unknownToken: String?

  private let file: String
  private var normalizer = JSONValue.null
  private var preTokenizer = JSONValue.null
  private var postProcessor = JSONValue.null
  private var maximumWordLength: Int?
  private var decoderCleansUp = true

  init(_ bytes: UnsafeBufferPointer<UInt8>, file: String) throws {
    self.file = file
    pieces = PieceList(expectedBytes: bytes.count / 2)
    var scanner = JSONScanner(bytes, file: file)
    guard try scanner.peek() == .object else { throw wrong("tokenizer.json does not contain a JSON object") }
    var hasModel = false
    var key: [UInt8] = []
    try scanner.beginObject()
    while try scanner.nextKey(into: &key) {
      switch String(decoding: key, as: UTF8.self) {
      case "model":
        hasModel = true
        try readModel(&scanner)
      case "normalizer":
        normalizer = try scanner.value()
      case "pre_tokenizer": preTokenizer = try scanner.value()
      case "post_processor": postProcessor = try scanner.value()
      case "decoder":
        let decoder = try scanner.value()
        if decoder.isNull { continue }
        try requireType(decoder, "decoder", "WordPiece")
        if let cleanup = decoder["cleanup"]?.bool { decoderCleansUp = cleanup }
      case "added_tokens":
        for token in try scanner.value().array ?? [] { addedTokens.append(try addedToken(token)) }
      default: try scanner.skipValue()
      }
    }
    try scanner.finish()
    guard hasModel else { throw wrong("missing key 'model'") }
  }

  private mutating func readModel(_ scanner: inout JSONScanner) throws {
    guard try scanner.peek() == .object else { throw wrong("'model' is not an object") }
    var hasVocabulary = false
    var key: [UInt8] = []
    try scanner.beginObject()
    while try scanner.nextKey(into: &key) {
      switch String(decoding: key, as: UTF8.self) {
      case "type":
        let type = try scanner.value()
        guard type.string == "WordPiece" else { throw unsupported("model.type", type, "WordPiece") }
      case "unk_token": unknownToken = try scanner.value().string
      case "continuing_subword_prefix":
        let prefix = try scanner.value()
        guard prefix.string == "##" else { throw unsupported("continuing_subword_prefix", prefix, "##") }
      case "max_input_chars_per_word":
        let value = try scanner.value()
        guard let length = value.int, (1...10_000).contains(length) else {
          throw unsupported("max_input_chars_per_word", value, "1 to 10000")
        }
        maximumWordLength = length
      case "vocab":
        hasVocabulary = true
        try readVocabulary(&scanner)
      default: try scanner.skipValue()
      }
    }
    guard hasVocabulary else { throw wrong("missing key 'vocab' in 'model'") }
  }

  private mutating func readVocabulary(_ scanner: inout JSONScanner) throws {
    guard try scanner.peek() == .object else {
      throw TokenizerError.unsupported(
        file: file, what: "model.vocab", value: "an array", supported: "an object of ids")
    }
    var piece: [UInt8] = []
    try scanner.beginObject()
    while try scanner.nextKey(into: &piece) {
      piece.withUnsafeBufferPointer { pieces.append($0) }
      ids.append(try scanner.integer())
    }
  }

  /// Returns how this file normalizes and splits text.
  ///
  /// - Throws: `TokenizerError.unsupported` for an unsupported component.
  func options() throws -> WordPieceTokenizer.Options {
    var options = WordPieceTokenizer.Options()
    if let maximumWordLength { options.maximumWordLength = maximumWordLength }
    options.decoderCleansUp = decoderCleansUp
    switch try TextSteps.read(normalizer: normalizer, preTokenizer: preTokenizer, file: file) {
    case .bert(let normalizer, let stripAccents):
      options.lowercase = normalizer.lowercases
      options.stripAccents = stripAccents
      options.splitsCJK = normalizer.splitsCJK
      options.cleansText = normalizer.cleansText
    case .steps(let steps): options.steps = steps
    }
    return options
  }

  /// Returns whether the post-processor surrounds a text with these tokens, as BERT's does.
  func framesText(_ classification: String, _ separator: String) -> Bool {
    switch postProcessor["type"]?.string {
    case "BertProcessing":
      return postProcessor["cls"]?.array?.first?.string == classification
        && postProcessor["sep"]?.array?.first?.string == separator
    case "TemplateProcessing":
      let parts = (postProcessor["single"]?.array ?? []).map { part in
        (part["Sequence"] ?? part["SpecialToken"])?["id"]?.string ?? ""
      }
      return parts == [classification, "A", separator]
    default: return false
    }
  }

  private func addedToken(_ value: JSONValue) throws -> AddedToken {
    guard let content = value["content"]?.string, let id = value["id"]?.int else {
      throw wrong("missing 'content' or 'id' in an entry of added_tokens")
    }
    guard let token = AddedToken(value, id: id, content: content) else {
      throw TokenizerError.idOutOfRange(piece: content, id: String(id), count: ids.count, file: file)
    }
    return token
  }

  private func requireType(_ value: JSONValue, _ what: String, _ type: String) throws {
    guard value["type"]?.string == type else { throw unsupported(what, value["type"] ?? value, type) }
  }

  private func wrong(_ what: String) -> TokenizerError { .badFile(file, what: what) }

  private func unsupported(_ what: String, _ value: JSONValue, _ supported: String) -> TokenizerError {
    let spelled = value.string ?? String(decoding: value.serialized(.compact).prefix(60), as: UTF8.self)
    return .unsupported(file: file, what: what, value: spelled, supported: supported)
  }
}

extension AddedToken {
  /// Parses an entry of `added_tokens` or `added_tokens_decoder`; nil if the id is out of range.
  init?(_ value: JSONValue, id: Int, content: String) {
    guard let id = Int32(exactly: id), id >= 0 else { return nil }
    func flag(_ key: String) -> Bool { value[key]?.bool ?? false }
    self.init(
      id: id, content: content, isSpecial: flag("special"), isNormalized: flag("normalized"),
      singleWord: flag("single_word"), leftStrip: flag("lstrip"), rightStrip: flag("rstrip"))
  }
}
