/// What a Hugging Face tokenizer.json says, as far as a WordPiece tokenizer needs it.
///
/// The vocabulary is read without a tree of it (119,547 entries in the multilingual one). Truncation, padding and the
/// post-processor are passed over: packing is the preprocessor's.
struct TokenizerJSON {
  /// The pieces in the order they are written, with their ids.
  private(set) var pieces: PieceList
  private(set) var ids: [Int] = []
  private(set) var addedTokens: [AddedToken] = []
  private(set) var options = WordPieceTokenizer.Options()
  private(set) var unknownToken: String?

  private let file: String

  init(_ bytes: UnsafeBufferPointer<UInt8>, file: String) throws {
    self.file = file
    pieces = PieceList(expectedBytes: bytes.count / 2)
    var scanner = JSONScanner(bytes, file: file)
    guard try scanner.peek() == .object else { throw wrong("tokenizer.json does not hold a JSON object") }
    var hasModel = false
    var hasNormalizer = false
    var key: [UInt8] = []
    try scanner.beginObject()
    while try scanner.nextKey(into: &key) {
      switch String(decoding: key, as: UTF8.self) {
      case "model":
        hasModel = true
        try readModel(&scanner)
      case "normalizer":
        hasNormalizer = true
        try readNormalizer(scanner.value())
      case "pre_tokenizer":
        try requireType(scanner.value(), "pre_tokenizer", "BertPreTokenizer")
      case "decoder":
        let decoder = try scanner.value()
        if decoder.isNull { continue }
        try requireType(decoder, "decoder", "WordPiece")
        if let cleanup = decoder["cleanup"]?.bool { options.decoderCleansUp = cleanup }
      case "added_tokens":
        for token in try scanner.value().array ?? [] { addedTokens.append(try addedToken(token)) }
      default: try scanner.skipValue()
      }
    }
    try scanner.finish()
    guard hasModel else { throw wrong("tokenizer.json has no 'model'") }
    if !hasNormalizer { try readNormalizer(.null) }
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
        options.maximumWordLength = length
      case "vocab":
        hasVocabulary = true
        try readVocabulary(&scanner)
      default: try scanner.skipValue()
      }
    }
    guard hasVocabulary else { throw wrong("'model' has no 'vocab'") }
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

  private mutating func readNormalizer(_ normalizer: JSONValue) throws {
    if normalizer.isNull {
      options.lowercase = false
      options.stripAccents = false
      options.splitsCJK = false
      options.cleansText = false
      return
    }
    try requireType(normalizer, "normalizer", "BertNormalizer")
    func flag(_ key: String) throws -> Bool? {
      guard let value = normalizer[key], !value.isNull else { return nil }
      guard let flag = value.bool else { throw wrong("normalizer.\(key) is \(value.kindName), not true or false") }
      return flag
    }
    options.lowercase = try flag("lowercase") ?? true
    options.stripAccents = try flag("strip_accents")
    options.splitsCJK = try flag("handle_chinese_chars") ?? true
    options.cleansText = try flag("clean_text") ?? true
  }

  private func addedToken(_ value: JSONValue) throws -> AddedToken {
    guard let content = value["content"]?.string, let id = value["id"]?.int else {
      throw wrong("an entry of added_tokens has no content or no id")
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

  /// The vocabulary with the added tokens that it lacks; throws unless the ids are 0, 1, 2 … without gaps.
  func vocabulary() throws -> Vocabulary {
    var list = pieces
    var ids = ids
    // An added token is spelled in the vocabulary, or has an id of its own. The vocabulary's own ids are checked first.
    var known: [[UInt8]: Int] = [:]
    if !addedTokens.isEmpty {
      let wanted = Set(addedTokens.map { Array($0.content.utf8) })
      for index in 0..<list.count {
        let piece = Array(list.bytes[Int(list.starts[index])..<Int(list.starts[index + 1])])
        if wanted.contains(piece) { known[piece] = ids[index] }
      }
    }
    for token in addedTokens {
      let content = Array(token.content.utf8)
      if let id = known[content] {
        guard id == Int(token.id) else {
          throw TokenizerError.conflictingAddedToken(token.content, id: Int(token.id), other: "id \(id)", file: file)
        }
        continue
      }
      known[content] = Int(token.id)
      content.withUnsafeBufferPointer { list.append($0) }
      ids.append(Int(token.id))
    }
    return try Vocabulary(list.ordered(by: ids, file: file), file: file, lines: false)
  }
}

extension AddedToken {
  /// An entry of `added_tokens` or `added_tokens_decoder`; nil where the id cannot be one.
  init?(_ value: JSONValue, id: Int, content: String) {
    guard let id = Int32(exactly: id), id >= 0 else { return nil }
    func flag(_ key: String) -> Bool { value[key]?.bool ?? false }
    self.init(
      id: id, content: content, isSpecial: flag("special"), isNormalized: flag("normalized"),
      singleWord: flag("single_word"), leftStrip: flag("lstrip"), rightStrip: flag("rstrip"))
  }
}

extension PieceList {
  /// The pieces in the order of their ids, which must be 0, 1, 2 … without gaps.
  func ordered(by ids: [Int], file: String) throws -> PieceList {
    var places = [Int](repeating: -1, count: count)
    var isOrdered = true
    for (index, id) in ids.enumerated() {
      guard id >= 0, id < count else {
        throw TokenizerError.idOutOfRange(piece: piece(index), id: String(id), count: count, file: file)
      }
      guard places[id] < 0 else {
        throw TokenizerError.duplicateID(id, piece(places[id]), piece(index), file: file)
      }
      places[id] = index
      isOrdered = isOrdered && id == index
    }
    if isOrdered { return self }
    var list = PieceList(expectedBytes: bytes.count)
    bytes.withUnsafeBufferPointer { bytes in
      for place in places {
        list.append(UnsafeBufferPointer(rebasing: bytes[Int(starts[place])..<Int(starts[place + 1])]))
      }
    }
    return list
  }

  private func piece(_ index: Int) -> String {
    String(decoding: bytes[Int(starts[index])..<Int(starts[index + 1])], as: UTF8.self)
  }
}
