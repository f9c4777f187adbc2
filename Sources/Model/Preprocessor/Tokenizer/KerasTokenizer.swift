import Files
import Hub
import Text

/// KerasHub's tokenizer.json: a serialized DistilBertTokenizer. The vocabulary stands beside it.
///
/// Honoured: `lowercase`, `strip_accents` (false in the official presets, also the uncased ones: "café" keeps its accent),
/// `oov_token`, `suffix_indicator` (only "##"), `split` (only true), `special_tokens_in_strings` with `special_tokens`.
///
/// Normalization itself stays BERT's, as transformers does it. KerasHub's differs beyond ASCII, and in control characters. Of
/// 1000 lines of English Wikipedia 1 is cut into other pieces than KerasHub's (none by a cased vocabulary), of 71 lines in many
/// languages 9 (cased 2, multilingual 3). What differs there:
/// - `lowercase` folds case (NFKC_Casefold): full-width letters, ligatures, ß, №, ² and the non-breaking hyphen become other
///   characters, combining marks join their letters, default-ignorable characters vanish.
/// - With `strip_accents` and `lowercase`, what was decomposed and is no accent is composed again (Hangul).
/// - Only ASCII white space, controls and format characters separate words: a no-break space does not, a soft hyphen does.
/// - U+FFFD and private-use characters are part of words.
/// - Words longer than 100 bytes, not characters, are [UNK].
struct KerasTokenizer {
  private(set) var options = WordPieceTokenizer.Options()
  private(set) var names = SpecialTokenNames()
  /// Special tokens beyond the five.
  private(set) var specialTokens: [String] = []

  /// Nil where the file is not one of KerasHub's.
  init?(_ bytes: UnsafeBufferPointer<UInt8>, file: String) throws {
    // KerasHub's is small; Hugging Face's has a 'model'.
    guard bytes.count < 1 << 16 else { return nil }
    let json = try JSONValue.parse(bytes, file: file)
    guard let name = json["class_name"]?.string, json["model"] == nil, let config = json["config"] else { return nil }
    func unsupported(_ what: String, _ value: JSONValue, _ supported: String) -> TokenizerError {
      let spelled = value.string ?? String(decoding: value.serialized(.compact).prefix(60), as: UTF8.self)
      return .unsupported(file: file, what: what, value: spelled, supported: supported)
    }
    func flag(_ key: String, default value: Bool) throws -> Bool {
      guard let entry = config[key], !entry.isNull else { return value }
      guard let flag = entry.bool else {
        throw TokenizerError.badFile(file, what: "\(key) is \(entry.kindName), not true or false")
      }
      return flag
    }
    guard ["DistilBertTokenizer", "BertTokenizer", "WordPieceTokenizer"].contains(name) else {
      throw unsupported("class_name", .string(name), "DistilBertTokenizer")
    }
    guard try flag("split", default: true) else { throw unsupported("split", .bool(false), "true") }
    if let suffix = config["suffix_indicator"], !suffix.isNull, suffix.string != "##" {
      throw unsupported("suffix_indicator", suffix, "##")
    }
    if let unknown = config["oov_token"], !unknown.isNull {
      guard let spelled = unknown.string else {
        throw TokenizerError.badFile(file, what: "oov_token is \(unknown.kindName), not a string")
      }
      names.unknown = spelled
    }
    // KerasHub's own defaults.
    options.lowercase = try flag("lowercase", default: false)
    options.stripAccents = try flag("strip_accents", default: false)
    options.splitsCJK = try flag("split_on_cjk", default: true)
    options.findsSpecialTokens = try flag("special_tokens_in_strings", default: false)
    if options.findsSpecialTokens { specialTokens = config["special_tokens"]?.array?.compactMap(\.string) ?? [] }
  }

  func load(directory: String) throws -> WordPieceTokenizer {
    let path = Path.join(directory, ModelFiles.kerasVocabulary)
    let file = Path.isFile(path) ? path : Path.join(directory, "vocab.txt")
    guard Path.isFile(file) else { throw FileError.missing(path: path) }
    let vocabulary = try FileMapping(path: file).withText {
      try ForeignFileError.checkText(UnsafeRawBufferPointer($0), file: file)
      return try Vocabulary(vocabTXT: $0, file: file)
    }
    let added = specialTokens.compactMap { token in
      vocabulary.id(of: token).map { AddedToken(id: $0, content: token, isSpecial: true) }
    }
    return try WordPieceTokenizer(vocabulary: vocabulary, options: options, names: names, addedTokens: added)
  }
}
