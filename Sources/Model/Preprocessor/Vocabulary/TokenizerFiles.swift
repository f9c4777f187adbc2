import Files
import Hub
import Text

/// Loading of a tokenizer from a model directory, as transformers' `AutoTokenizer` does.
///
/// The vocabulary comes from tokenizer.json or, without one, from vocab.txt. The class named in tokenizer_config.json
/// decides how text is normalized and split. BERT's classes use its flags and their own defaults, and are also the
/// default, as the model is a DistilBERT. Other classes use tokenizer.json. In a KerasHub directory, tokenizer.json is
/// a different format with the same name, and the vocabulary is under assets/tokenizer: see `KerasTokenizer`.
extension WordPieceTokenizer {
  /// Loads the tokenizer. Throws `TokenizerError`, `JSONError` or `FileError`.
  ///
  /// `lowercase`: the known setting of the vocabulary, used if no file says whether text is lower-cased.
  public static func load(directory: String, lowercase: Bool? = nil) throws -> WordPieceTokenizer {
    let config = try TokenizerConfig(directory: directory)
    let tokenizerFile = Path.join(directory, "tokenizer.json")
    if Path.isFile(tokenizerFile) {
      let mapping = try FileMapping(path: tokenizerFile)
      if let keras = try KerasTokenizer(mapping.text, file: tokenizerFile) {
        return try keras.load(directory: directory)
      }
      return try load(TokenizerJSON(mapping.text, file: tokenizerFile), tokenizerFile, config, lowercase)
    }

    let kerasVocabulary = Path.join(directory, ModelFiles.kerasVocabulary)
    let vocabularyFile = [Path.join(directory, "vocab.txt"), kerasVocabulary].first(where: Path.isFile)
    guard let vocabularyFile else {
      if Path.kind(directory) == nil { throw FileError.missing(path: directory) }
      throw TokenizerError.noVocabularyFile(directory: directory)
    }
    let mapping = try FileMapping(path: vocabularyFile)
    try ForeignFileError.checkText(mapping.bytes, file: vocabularyFile)
    let pieces = PieceList(vocabTXT: mapping.text)
    var added = AddedTokenReader(try Vocabulary(pieces, file: vocabularyFile, lines: true), pieces, file: config.file)
    try added.add(config.addedTokens)
    try added.addSpecialTokens(of: config)

    var notes = added.base.notes(pieces.oddities)
    let options = config.options(default: lowercase)
    if config.lowercases == nil, lowercase == nil, options.lowercase, added.base.hasCapitals {
      notes.append(
        "\(vocabularyFile) has pieces with capital letters, but no tokenizer_config.json sets do_lower_case to false: "
          + "text is lower-cased, as in transformers")
    }
    return try added.tokenizer(options, names: config.specialTokenNames, config.extras, notes: notes, lines: true)
  }

  private static func load(
    _ json: TokenizerJSON, _ file: String, _ config: TokenizerConfig, _ lowercase: Bool?
  ) throws -> WordPieceTokenizer {
    let pieces = try json.pieces.ordered(by: json.ids, file: file)
    var added = AddedTokenReader(try Vocabulary(pieces, file: file, lines: false), pieces, file: file)
    var options: Options
    var notes: [String] = []
    if config.namesBERTClass {
      // Uses the file's added tokens if tokenizer_config.json lists none.
      try added.add(config.listsAddedTokens ? config.addedTokens : config.addedTokens + json.addedTokens)
      options = config.options(default: lowercase)
      if let note = config.difference(from: try? json.options(), of: file, options) { notes.append(note) }
    } else {
      try added.add(json.addedTokens)
      try added.add(config.addedTokens)
      options = try json.options()
      config.applyDecoding(to: &options)
      let names = config.specialTokenNames
      if !json.framesText(names.classification, names.separator) {
        notes.append(
          "\(file): its post_processor is not [CLS] text [SEP], which is always used here: "
            + "transformers gives different numbers")
      }
      if let flag = config.lowercases, options.steps == nil, flag != options.lowercase {
        notes.append(
          "\(config.file) sets do_lower_case to \(flag), but its class \(config.className ?? "") uses tokenizer.json, "
            + "which \(options.lowercase ? "lower-cases" : "does not lower-case"): tokenizer.json takes precedence, "
            + "as in transformers")
      }
    }
    try added.addSpecialTokens(of: config)
    var names = config.specialTokenNames
    if let unknown = json.unknownToken, !config.namesBERTClass || added.base.id(of: names.unknown) == nil {
      names.unknown = unknown
    }
    return try added.tokenizer(options, names: names, config.extras, notes: notes, lines: false)
  }

  /// Loads a vocab.txt alone. `lowercase`: whether text is lower-cased; nil: true if no piece other than `[…]` has a
  /// capital letter.
  public static func load(vocabularyFile: String, lowercase: Bool? = nil) throws -> WordPieceTokenizer {
    let mapping = try FileMapping(path: vocabularyFile)
    try ForeignFileError.checkText(mapping.bytes, file: vocabularyFile)
    let pieces = PieceList(vocabTXT: mapping.text)
    let vocabulary = try Vocabulary(pieces, file: vocabularyFile, lines: true)
    var extras = TokenizerExtras()
    extras.notes = vocabulary.notes(pieces.oddities)
    return try WordPieceTokenizer(
      vocabulary: vocabulary, options: Options(lowercase: lowercase ?? !vocabulary.hasCapitals),
      names: SpecialTokenNames(), addedTokens: [], extras: extras)
  }
}

extension Vocabulary {
  /// Whether a piece other than `[…]` has an upper-case ASCII letter, so that the vocabulary is not lower-case.
  var hasCapitals: Bool {
    for id in 0..<count {
      let piece = bytes(of: id)
      if piece.count > 2, piece[0] == 0x5B, piece[piece.count - 1] == 0x5D { continue }
      if piece.contains(where: { $0 &- 0x41 < 26 }) { return true }
    }
    return false
  }

  /// Describes the irregularities of a vocab.txt in one line.
  fileprivate func notes(_ oddities: PieceList.Oddities) -> [String] {
    var parts: [String] = []
    if oddities.hasByteOrderMark { parts.append("byte-order mark ignored") }
    if !shadowedIDs.isEmpty {
      parts.append("\(plural(shadowedIDs.count, "duplicate piece")) (the later id is used)")
    }
    if oddities.blankLines > 0 {
      parts.append("\(plural(oddities.blankLines, "blank line")) kept as ids without a piece")
    }
    if oddities.trailingBlanks > 0 {
      parts.append("trailing white space dropped from \(plural(oddities.trailingBlanks, "line"))")
    }
    if parts.isEmpty { return [] }
    return ["\(file): read as in transformers: " + parts.joined(separator: ", ")]
  }
}

/// The contents of tokenizer_config.json, special_tokens_map.json and added_tokens.json.
struct TokenizerConfig {
  private(set) var addedTokens: [AddedToken] = []
  /// Whether tokenizer_config.json lists the added tokens (`added_tokens_decoder`), so that no other file is used for
  /// them.
  private(set) var listsAddedTokens = false
  private(set) var extras = TokenizerExtras()
  private(set) var file = "tokenizer_config.json"
  /// The name of the transformers class.
  private(set) var className: String?
  private var flags: [String: Bool] = [:]
  /// The special tokens by key (`mask_token`): a string, or an object with the spelling in `content`.
  private var named: [String: JSONValue] = [:]

  private static let roles = ["cls_token", "mask_token", "pad_token", "sep_token", "unk_token"]
  /// Classes that are, or were, other names of BERT's tokenizer.
  private static let bertClasses: Set = [
    "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer", "ConvBertTokenizer",
    "SqueezeBertTokenizer", "LayoutLMTokenizer", "RetriBertTokenizer", "DPRReaderTokenizer",
  ]

  /// Classes of transformers that read text differently, whatever the files contain.
  private static let otherClasses = Set(
    """
    Albert Bart Barthez Bartpho BertGeneration BertJapanese Bertweet BigBird BioGpt BlenderbotSmall Blenderbot ByT5 CLIP CTRL \
    Camembert Canine Clvp CodeLlama Cohere CpmAnt Cpm Deberta DebertaV2 Dia Esm Esmc FNet FSMT Flaubert GPT2 GPTNeoXJapanese \
    GPTNeoX Gemma Herbert LED Lasr LayoutLMv3 LayoutXLM Llama Longformer Luke MBart50 MBart Marian MarkupLM Mgpstr Mvp MyT5 Nllb \
    Nougat OpenAIGPT PLBart Parakeet Pegasus Perceiver Phobert ProphetNet Qwen2 Qwen3_5 Rag Reformer RemBert RoCBert RoFormer \
    Roberta SeamlessM4T Siglip2 T5 Tapas Udop VideoPrism Vits Wav2Vec2CTC Wav2Vec2PhonemeCTC Whisper XGLM XLMRoberta XLM XLNet
    """.split(separator: " ").map { "\($0)Tokenizer" })

  private static func withoutFast(_ name: String) -> String {
    name.hasSuffix("Fast") && name != "PreTrainedTokenizerFast" ? String(name.dropLast(4)) : name
  }

  init(directory: String) throws {
    try read(directory, "tokenizer_config.json")
    // The older location.
    let model = Path.join(directory, ModelFiles.configuration)
    if className == nil, Path.isFile(model), let json = try? JSONValue.load(file: model) {
      className = json["tokenizer_class"]?.string
    }
    if let className, Self.otherClasses.contains(Self.withoutFast(className)) {
      throw TokenizerError.unsupported(
        file: file, what: "tokenizer_class", value: className, supported: "BERT's and PreTrainedTokenizerFast")
    }
    if listsAddedTokens { return }
    let configFile = file
    try read(directory, "special_tokens_map.json", specialTokensAlone: true)
    file = configFile
    try readAddedTokens(directory)
  }

  /// The special tokens by key. Keys other than the five are kept for writing.
  var specialTokenNames: SpecialTokenNames {
    func spelling(_ key: String) -> String? { named[key].flatMap { $0.string ?? $0["content"]?.string } }
    var result = SpecialTokenNames()
    if let name = spelling("pad_token") { result.padding = name }
    if let name = spelling("unk_token") { result.unknown = name }
    if let name = spelling("cls_token") { result.classification = name }
    if let name = spelling("sep_token") { result.separator = name }
    if let name = spelling("mask_token") { result.mask = name }
    return result
  }

  /// `do_lower_case`, if it is true or false.
  var lowercases: Bool? { flags["do_lower_case"] }

  /// Whether the class is BERT's; true if none is named, as BERT's class is the model's own.
  var namesBERTClass: Bool {
    guard let className else { return true }
    return Self.bertClasses.contains(Self.withoutFast(className))
  }

  /// The options that BERT's classes derive from the flags. `lowercase`: replaces the class's default, true.
  func options(default lowercase: Bool?) -> WordPieceTokenizer.Options {
    var options = WordPieceTokenizer.Options(lowercase: flags["do_lower_case"] ?? lowercase ?? true)
    options.stripAccents = flags["strip_accents"]
    options.splitsCJK = flags["tokenize_chinese_chars"] ?? true
    applyDecoding(to: &options)
    return options
  }

  /// Applies the flags that affect every class.
  func applyDecoding(to options: inout WordPieceTokenizer.Options) {
    if let flag = flags["clean_up_tokenization_spaces"] { options.cleanUpTokenizationSpaces = flag }
    if let flag = flags["special_tokens_in_strings"] { options.findsSpecialTokens = flag }
  }

  /// Describes how tokenizer.json differs from the normalization of BERT's classes, which ignore it; nil if it does
  /// not.
  func difference(
    from json: WordPieceTokenizer.Options?, of file: String, _ options: WordPieceTokenizer.Options
  ) -> String? {
    var parts: [String] = []
    if let json, json.steps == nil {
      if json.lowercase != options.lowercase { parts.append("lower case") }
      if json.stripsAccents != options.stripsAccents { parts.append("accents") }
      if json.splitsCJK != options.splitsCJK { parts.append("CJK characters") }
      if json.cleansText != options.cleansText { parts.append("control characters") }
      if json.maximumWordLength != options.maximumWordLength { parts.append("the maximum word length") }
    } else {
      parts.append("its normalizer or pre_tokenizer")
    }
    if parts.isEmpty { return nil }
    let name = className ?? "DistilBertTokenizer"
    return "\(file) and \(className == nil ? "the defaults of" : "\(self.file) with") the class \(name) differ on "
      + "\(parts.joined(separator: ", ")): the class takes precedence, as in transformers (it "
      + "\(options.lowercase ? "lower-cases" : "does not lower-case"))"
  }

  /// Merges the content of a file over that of earlier files. Does nothing if the file does not exist.
  private mutating func read(_ directory: String, _ name: String, specialTokensAlone: Bool = false) throws {
    let path = Path.join(directory, name)
    guard Path.isFile(path) else { return }
    file = path
    let mapping = try FileMapping(path: path)
    let value = try JSONValue.parse(mapping.text, file: path)
    guard let members = value.object else {
      throw TokenizerError.badFile(path, what: "\(name) contains \(value.kindName), expected an object")
    }
    for (key, value) in members {
      switch key {
      case "do_lower_case", "strip_accents", "tokenize_chinese_chars", "clean_up_tokenization_spaces",
        "special_tokens_in_strings":
        if value.isNull || specialTokensAlone { continue }
        guard let flag = value.bool else {
          throw TokenizerError.badFile(path, what: "\(key) is \(value.kindName), expected true or false")
        }
        flags[key] = flag
      case "tokenizer_class" where !specialTokensAlone: className = value.string
      case "model_max_length":
        // transformers writes 1e30 if no length is set.
        if let length = value.double, length >= 1, length < 1e9 { extras.modelMaximumLength = Int(length) }
      case "added_tokens_decoder":
        listsAddedTokens = true
        for (id, token) in value.object ?? [] {
          guard let content = token["content"]?.string, let number = Int(id),
            let added = AddedToken(token, id: number, content: content)
          else { throw TokenizerError.badFile(path, what: "invalid entry '\(id)' in added_tokens_decoder") }
          addedTokens.append(added)
        }
        addedTokens.sort { $0.id < $1.id }
      case _ where Self.roles.contains(key):
        guard !value.isNull else { continue }
        guard (value.string ?? value["content"]?.string) != nil else {
          throw TokenizerError.badFile(path, what: "\(key) is neither a string nor an object with a 'content'")
        }
        named[key] = value
      case _ where key.hasSuffix("_token") || key.hasSuffix("_special_tokens"):
        guard !value.isNull else { continue }
        extras.specialTokens.removeAll { $0.key == key }
        extras.specialTokens.append((key, value))
      default: break
      }
    }
  }

  /// Reads added_tokens.json: {"content": id}.
  private mutating func readAddedTokens(_ directory: String) throws {
    let path = Path.join(directory, "added_tokens.json")
    guard Path.isFile(path) else { return }
    let mapping = try FileMapping(path: path)
    let special = Set(specialTokens.map { Array($0.content.utf8) })
    for (content, id) in try JSONValue.parse(mapping.text, file: path).object ?? [] {
      guard let number = id.int, var added = AddedToken(.null, id: number, content: content) else {
        throw TokenizerError.badFile(path, what: "the id of '\(content)' is not a whole number")
      }
      added.isSpecial = special.contains(Array(content.utf8))
      added.isNormalized = !added.isSpecial
      addedTokens.append(added)
    }
    addedTokens.sort { $0.id < $1.id }
  }

  /// All named special tokens with their flags, the five first, in the order of transformers.
  var specialTokens: [AddedToken] {
    var values = ["unk_token", "sep_token", "pad_token", "cls_token", "mask_token"].compactMap { named[$0] }
    for (_, value) in extras.specialTokens {
      switch value {
      case .array(let list): values += list
      case .object(let members) where value["content"] == nil: values += members.map(\.value)
      default: values.append(value)
      }
    }
    return values.compactMap { value in
      guard let content = value.string ?? value["content"]?.string, !content.isEmpty else { return nil }
      guard var token = AddedToken(value, id: 0, content: content) else { return nil }
      token.isSpecial = true
      return token
    }
  }
}

/// Assigns ids to added tokens, as transformers does: a token in the vocabulary keeps its id, others get the next ids.
private struct AddedTokenReader {
  /// The vocabulary without added tokens that are not part of it.
  let base: Vocabulary
  private var pieces: PieceList
  private let file: String
  private var tokens: [AddedToken] = []
  /// The index of each token in `tokens`, by its bytes: `String` would merge tokens that are canonically equivalent.
  private var indices: [[UInt8]: Int] = [:]
  private var nextID: Int
  private var specialIDs: [Int32] = []
  private var notes: [String] = []

  init(_ base: Vocabulary, _ pieces: PieceList, file: String) {
    self.base = base
    self.pieces = pieces
    self.file = file
    // The tokenizers library counts a blank line of vocab.txt as a piece.
    nextID = base.pieceCount + (pieces.oddities.blankLines > 0 ? 1 : 0)
  }

  /// - Throws: `TokenizerError` if the ids in a file differ from the assigned ones.
  mutating func add(_ declared: [AddedToken]) throws {
    for token in declared where !token.content.isEmpty {
      let content = Array(token.content.utf8)
      if let index = indices[content] {
        tokens[index] = with(token, id: tokens[index].id)
        continue
      }
      if let id = base.id(of: token.content) {
        guard id == token.id else {
          throw TokenizerError.conflictingAddedToken(
            token.content, id: Int(token.id), other: "id \(id)", file: file)
        }
      } else {
        guard Int(token.id) == nextID, nextID >= base.count else {
          if Int(token.id) < base.count, !base.bytes(of: Int(token.id)).isEmpty {
            throw TokenizerError.conflictingAddedToken(
              token.content, id: Int(token.id), other: "'\(base.piece(Int(token.id)))'", file: file)
          }
          throw TokenizerError.addedTokenID(token.content, id: Int(token.id), expected: nextID, file: file)
        }
        pieces.append(token.content)
        nextID += 1
      }
      indices[content] = tokens.count
      tokens.append(token)
    }
  }

  /// Adds special tokens that no list of added tokens has. A token that is not in the vocabulary would get an id beyond
  /// the model's rows, so it remains text, and a note reports it.
  mutating func addSpecialTokens(of config: TokenizerConfig) throws {
    var missing: [String] = []
    for token in config.specialTokens {
      let content = Array(token.content.utf8)
      if let index = indices[content] {
        specialIDs.append(tokens[index].id)
      } else if let id = base.id(of: token.content) {
        indices[content] = tokens.count
        tokens.append(with(token, id: id))
        specialIDs.append(id)
      } else {
        if !missing.contains("'\(token.content)'") { missing.append("'\(token.content)'") }
      }
    }
    if !missing.isEmpty {
      notes.append(
        "special tokens missing from the vocabulary are read as plain text: \(missing.joined(separator: ", "))")
    }
  }

  private func with(_ token: AddedToken, id: Int32) -> AddedToken {
    var token = token
    token.id = id
    return token
  }

  func tokenizer(
    _ options: WordPieceTokenizer.Options, names: SpecialTokenNames, _ extras: TokenizerExtras, notes: [String],
    lines: Bool
  ) throws -> WordPieceTokenizer {
    var extras = extras
    extras.specialTokenIDs = specialIDs
    extras.notes = notes + self.notes
    return try WordPieceTokenizer(
      vocabulary: pieces.count > base.count
        ? Vocabulary(pieces, file: base.file, lines: lines, wordPieceCount: base.count) : base,
      options: options, names: names, addedTokens: tokens, extras: extras)
  }
}

/// Tokenizer data in a model directory that is kept only for writing it back.
struct TokenizerExtras: Sendable {
  /// `model_max_length`, if it is set.
  var modelMaximumLength: Int?
  /// Special tokens of other names (`bos_token`, `additional_special_tokens`, …), in their original form.
  var specialTokens: [(key: String, value: JSONValue)] = []
  /// The ids of all special tokens.
  var specialTokenIDs: [Int32] = []
  /// Facts that the user should know about how the files were read.
  var notes: [String] = []
}
