import TestSupport
import Testing

@testable import Files
@testable import Model

/// KerasHub's tokenizer.json.
@Suite struct KerasTokenizerTests {
  private func load(_ config: String, name: String = "DistilBertTokenizer") throws -> WordPieceTokenizer {
    let folder = try TemporaryFolder()
    let vocabulary = try FileMapping.contents(of: KerasPreset.path("masked_lm/assets/tokenizer/vocabulary.txt"))
    try folder.write("assets/tokenizer/vocabulary.txt", vocabulary)
    try folder.write("tokenizer.json", "{\"class_name\": \"\(name)\", \"config\": \(config)}")
    return try WordPieceTokenizer.load(directory: folder.path)
  }

  @Test(arguments: ["masked_lm", "float16", "older", "sharded"])
  func presets(_ name: String) throws {
    let tokenizer = try WordPieceTokenizer.load(directory: KerasPreset.path(name))
    #expect(tokenizer.vocabulary.count == 54)
    #expect(tokenizer.options.lowercase && tokenizer.options.stripAccents == false && tokenizer.options.splitsCJK)
    // An uncased preset keeps accents.
    #expect(tokenizer.tokens(tokenizer.encode("CAFÉ Cafe")) == ["café", "cafe"])
  }

  /// The ids of KerasHub's tokenizer, with each of its settings.
  @Test(arguments: 0..<4)
  func texts(_ number: Int) throws {
    let golden = try KerasPreset.golden().texts[number]
    var settings = ["lowercase": true]
    settings.merge(golden.settings) { $1 }
    let tokenizer = try load("{" + settings.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}")
    for (text, ids) in zip(golden.texts, golden.ids) { #expect(tokenizer.encode(text) == ids, "\(text)") }
  }

  @Test func defaults() throws {
    let options = try load("{}").options
    #expect(!options.lowercase && options.stripAccents == false && !options.findsSpecialTokens)
  }

  /// [UNK] is never found in text; additional special tokens are.
  @Test func specialTokens() throws {
    let tokenizer = try load(
      #"{"lowercase": true, "special_tokens_in_strings": true, "special_tokens": ["[unused0]", "[none]"]}"#)
    #expect(tokenizer.tokens(tokenizer.encode("the[MASK]fox [unused0]")) == ["the", "[MASK]", "fox", "[unused0]"])
    #expect(tokenizer.encode("[UNK]").count == 3)
    #expect(tokenizer.encode("[mask]").contains(tokenizer.specialTokens.mask) == false)
    let plain = try load(#"{"lowercase": true, "special_tokens": ["[unused0]"]}"#)
    #expect(plain.encode("[MASK]").contains(plain.specialTokens.mask) == false)
    // Written settings are kept.
    let folder = try TemporaryFolder()
    for (name, bytes) in tokenizer.files(maximumLength: 16) { try folder.write(name, bytes) }
    let again = try WordPieceTokenizer.load(directory: folder.path)
    #expect(again.options == tokenizer.options && again.addedTokens == tokenizer.addedTokens)
    #expect(again.encode("the[MASK]fox [unused0]") == tokenizer.encode("the[MASK]fox [unused0]"))
  }

  @Test func unknownToken() throws {
    #expect(try load(#"{"oov_token": "fox"}"#).specialTokens.names.unknown == "fox")
    #expect(throws: TokenizerError.self) { try load(#"{"oov_token": "[NO]"}"#) }
  }

  @Test(arguments: [
    (#"{"split": false}"#, "split"), (#"{"suffix_indicator": "@@"}"#, "suffix_indicator"),
  ])
  func unsupported(_ config: String, _ what: String) {
    let error = #expect(throws: TokenizerError.self) { try load(config) }
    #expect(error?.message.hasPrefix(what) == true)
  }

  @Test func errors() throws {
    #expect(throws: TokenizerError.self) { try load("{}", name: "BytePairTokenizer") }
    #expect(throws: TokenizerError.self) { try load(#"{"lowercase": 1}"#) }
    #expect(throws: TokenizerError.self) { try load(#"{"oov_token": 1}"#) }
    let folder = try TemporaryFolder()
    try folder.write("tokenizer.json", #"{"class_name": "DistilBertTokenizer", "config": {}}"#)
    #expect(throws: FileError.missing(path: folder.path + "/assets/tokenizer/vocabulary.txt")) {
      try WordPieceTokenizer.load(directory: folder.path)
    }
  }
}
