/// Reading a tokenizer from a model directory.
///
/// tokenizer.json is preferred, else vocab.txt; tokenizer_config.json and special_tokens_map.json add to either. A KerasHub
/// directory (whose tokenizer.json is another thing of the same name) has its vocabulary under assets/tokenizer: `KerasTokenizer`.
extension WordPieceTokenizer {
  /// Throws `TokenizerError`, `JSONError` or `FileError`.
  ///
  /// `lowercase`: what is known of the vocabulary where no file says whether text is lower-cased.
  public static func load(directory: String, lowercase: Bool? = nil) throws -> WordPieceTokenizer {
    var config = TokenizerConfig()
    try config.read(directory, "special_tokens_map.json")
    try config.read(directory, "tokenizer_config.json")

    let tokenizerFile = Path.join(directory, "tokenizer.json")
    if Path.isFile(tokenizerFile) {
      let mapping = try FileMapping(path: tokenizerFile)
      if let keras = try KerasTokenizer(mapping.text, file: tokenizerFile) {
        return try keras.load(directory: directory)
      }
      let json = try TokenizerJSON(mapping.text, file: tokenizerFile)
      var options = json.options
      config.apply(to: &options)
      if config.names["unk_token"] == nil { config.names["unk_token"] = json.unknownToken }
      return try WordPieceTokenizer(
        vocabulary: json.vocabulary(), options: options, names: config.specialTokenNames,
        addedTokens: json.addedTokens, extras: config.extras)
    }

    let kerasVocabulary = Path.join(directory, KerasTokenizer.vocabularyName)
    let vocabularyFile = [Path.join(directory, "vocab.txt"), kerasVocabulary].first(where: Path.isFile)
    guard let vocabularyFile else {
      if Path.kind(directory) == nil { throw FileError.missing(path: directory) }
      throw TokenizerError.noVocabularyFile(directory: directory)
    }
    return try load(vocabularyFile: vocabularyFile, directory: directory, config: config, lowercase: lowercase)
  }

  /// Reads a vocab.txt alone. `lowercase`: whether text is lower-cased; nil: if no piece but `[…]` has a capital.
  public static func load(vocabularyFile: String, lowercase: Bool? = nil) throws -> WordPieceTokenizer {
    try load(vocabularyFile: vocabularyFile, directory: nil, config: TokenizerConfig(), lowercase: lowercase)
  }

  private static func load(
    vocabularyFile: String, directory: String?, config: TokenizerConfig, lowercase: Bool?
  ) throws -> WordPieceTokenizer {
    let mapping = try FileMapping(path: vocabularyFile)
    var pieces = PieceList(vocabTXT: mapping.text)
    var config = config
    if let directory { try config.readAddedTokens(directory) }
    var ids = Array(0..<pieces.count)
    // Where vocab.txt holds the added tokens too, they are there at their ids.
    for token in config.addedTokens.sorted(by: { $0.id < $1.id }) where Int(token.id) >= pieces.count {
      guard Int(token.id) == pieces.count else {
        throw TokenizerError.idOutOfRange(
          piece: token.content, id: String(token.id), count: pieces.count + 1, file: config.file)
      }
      var content = token.content
      content.withUTF8 { pieces.append($0) }
      ids.append(Int(token.id))
    }
    let vocabulary = try Vocabulary(pieces, file: vocabularyFile, lines: true)
    for token in config.addedTokens where vocabulary.id(of: token.content) != token.id {
      throw TokenizerError.conflictingAddedToken(
        token.content, id: Int(token.id), other: "'\(vocabulary.piece(Int(token.id)))'", file: config.file)
    }
    var options = Options()
    options.lowercase = lowercase ?? !vocabulary.hasCapitals
    config.apply(to: &options)
    return try WordPieceTokenizer(
      vocabulary: vocabulary, options: options, names: config.specialTokenNames, addedTokens: config.addedTokens,
      extras: config.extras)
  }
}

extension Vocabulary {
  /// Whether a piece other than `[…]` has an upper-case ASCII letter: then the vocabulary is not a lower-case one.
  var hasCapitals: Bool {
    for id in 0..<count {
      let piece = bytes(of: id)
      if piece.count > 2, piece[0] == 0x5B, piece[piece.count - 1] == 0x5D { continue }
      if piece.contains(where: { $0 &- 0x41 < 26 }) { return true }
    }
    return false
  }
}

/// What tokenizer_config.json, special_tokens_map.json and added_tokens.json say.
struct TokenizerConfig {
  /// Spelling of the special tokens by key (`mask_token`).
  var names: [String: String] = [:]
  var addedTokens: [AddedToken] = []
  var extras = TokenizerExtras()
  private(set) var file = "tokenizer_config.json"
  private var flags: [String: Bool] = [:]

  static let roles = ["cls_token", "mask_token", "pad_token", "sep_token", "unk_token"]

  /// Adds what a file says to what the ones before it said; does nothing where there is no such file.
  mutating func read(_ directory: String, _ name: String) throws {
    let path = Path.join(directory, name)
    guard Path.isFile(path) else { return }
    file = path
    let mapping = try FileMapping(path: path)
    let value = try JSONValue.parse(mapping.text, file: path)
    guard let members = value.object else {
      throw TokenizerError.badFile(path, what: "\(name) holds \(value.kindName), not an object")
    }
    for (key, value) in members {
      switch key {
      case "do_lower_case", "strip_accents", "tokenize_chinese_chars", "clean_up_tokenization_spaces",
        "special_tokens_in_strings":
        if value.isNull { continue }
        guard let flag = value.bool else {
          throw TokenizerError.badFile(path, what: "\(key) is \(value.kindName), not true or false")
        }
        flags[key] = flag
      case "model_max_length":
        // Written as 1e30 where nobody set it.
        if let length = value.double, length >= 1, length < 1e9 { extras.modelMaximumLength = Int(length) }
      case "added_tokens_decoder":
        for (id, token) in value.object ?? [] {
          guard let content = token["content"]?.string, let number = Int(id),
            let added = AddedToken(token, id: number, content: content)
          else { throw TokenizerError.badFile(path, what: "added_tokens_decoder has a bad entry '\(id)'") }
          addedTokens.append(added)
        }
      case _ where Self.roles.contains(key):
        // A string, or an object with the spelling under `content`.
        guard !value.isNull else { continue }
        guard let content = value.string ?? value["content"]?.string else {
          throw TokenizerError.badFile(path, what: "\(key) is neither a string nor an object with a 'content'")
        }
        names[key] = content
      case _ where key.hasSuffix("_token") || key.hasSuffix("_special_tokens"):
        guard !value.isNull else { continue }
        extras.specialTokens.removeAll { $0.key == key }
        extras.specialTokens.append((key, value))
      default: break
      }
    }
  }

  /// added_tokens.json: {"content": id}.
  mutating func readAddedTokens(_ directory: String) throws {
    let path = Path.join(directory, "added_tokens.json")
    guard Path.isFile(path) else { return }
    let mapping = try FileMapping(path: path)
    for (content, id) in try JSONValue.parse(mapping.text, file: path).object ?? [] {
      guard let number = id.int, let added = AddedToken(.null, id: number, content: content) else {
        throw TokenizerError.badFile(path, what: "the id of '\(content)' is not a whole number")
      }
      if !addedTokens.contains(where: { $0.id == added.id }) { addedTokens.append(added) }
    }
  }

  /// What the files say goes before what the tokenizer has already.
  func apply(to options: inout WordPieceTokenizer.Options) {
    if let flag = flags["do_lower_case"] { options.lowercase = flag }
    if let flag = flags["strip_accents"] { options.stripAccents = flag }
    if let flag = flags["tokenize_chinese_chars"] { options.splitsCJK = flag }
    if let flag = flags["clean_up_tokenization_spaces"] { options.cleanUpTokenizationSpaces = flag }
    if let flag = flags["special_tokens_in_strings"] { options.findsSpecialTokens = flag }
  }

  var specialTokenNames: SpecialTokenNames {
    var result = SpecialTokenNames()
    if let name = names["pad_token"] { result.padding = name }
    if let name = names["unk_token"] { result.unknown = name }
    if let name = names["cls_token"] { result.classification = name }
    if let name = names["sep_token"] { result.separator = name }
    if let name = names["mask_token"] { result.mask = name }
    return result
  }
}

/// What a model directory says of a tokenizer that it does not need itself, kept for writing back.
struct TokenizerExtras: Sendable {
  /// `model_max_length`, where somebody set it.
  var modelMaximumLength: Int?
  /// Special tokens of other names (`bos_token`, `additional_special_tokens`, …) as they were written.
  var specialTokens: [(key: String, value: JSONValue)] = []
}
