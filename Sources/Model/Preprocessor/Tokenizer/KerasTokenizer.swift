import Files
import Hub
import Text

/// KerasHub's tokenizer.json: a serialized DistilBertTokenizer. The vocabulary is in a separate file.
///
/// Honored: `lowercase`, `strip_accents` (false in the official presets, including the uncased ones: "café" keeps its
/// accent), `oov_token`, `suffix_indicator` (only "##"), `split` (only true), `special_tokens_in_strings` with
/// `special_tokens`.
///
/// Normalization remains BERT's, as in transformers. KerasHub's differs beyond ASCII and in control characters. Among
/// 1000 lines of English Wikipedia, 1 is split into other pieces than in KerasHub (0 with a cased vocabulary); among 71
/// lines in many languages, 9 are (cased 2, multilingual 3). Differences in KerasHub:
/// - `lowercase` folds case (NFKC_Casefold): full-width letters, ligatures, ß, №, ² and the non-breaking hyphen become
///   other characters, combining marks are composed with their letters, and default-ignorable characters disappear.
/// - With `strip_accents` and `lowercase`, decomposed characters that are not accents are composed again (Hangul).
/// - Only ASCII white space, controls and format characters separate words: a soft hyphen does, a no-break space does
///   not.
/// - U+FFFD and private-use characters are part of words.
/// - Words longer than 100 bytes, not characters, are [UNK].
struct KerasTokenizer {
  private(set) var options = WordPieceTokenizer.Options()
  private(set) var names = SpecialTokenNames()
  /// Special tokens other than the five.
  private(set) var specialTokens: [String] = []

  /// Parses the file; nil if it is not one of KerasHub's.
  init?(_ bytes: UnsafeBufferPointer<UInt8>, file: String) throws {
    // KerasHub's file is small; Hugging Face's has a 'model'.
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
        throw TokenizerError.badFile(file, what: "\(key) is \(entry.kindName), expected true or false")
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
        throw TokenizerError.badFile(file, what: "oov_token is \(unknown.kindName), expected a string")
      }
      names.unknown = spelled
    }
    // KerasHub's defaults.
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
