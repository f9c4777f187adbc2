import Foundation
import Testing

@testable import Model

struct TokenizerFilesTests {
  static let vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nquick\n##ly\n"

  static func json(
    vocab: String = ###"{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,"the":5,"quick":6,"##ly":7}"###,
    added: String = "[]", normalizer: String = #"{"type":"BertNormalizer","lowercase":true,"strip_accents":null}"#,
    type: String = "WordPiece"
  ) -> String {
    """
    {"truncation":{"max_length":8},"added_tokens":\(added),"normalizer":\(normalizer),
    "pre_tokenizer":{"type":"BertPreTokenizer"},"decoder":{"type":"WordPiece","prefix":"##","cleanup":false},
    "model":{"type":"\(type)","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":\(vocab)}}
    """
  }

  @Test func vocabTXT() throws {
    let folder = try TemporaryFolder()
    try folder.write("vocab.txt", Self.vocabulary)
    let tokenizer = try WordPieceTokenizer.load(directory: folder.path)
    // No piece but [PAD] and its like has a capital.
    #expect(tokenizer.options.lowercase)
    #expect(tokenizer.encode("The quickly") == [5, 6, 7])
    #expect(tokenizer.modelMaximumLength == nil)
    #expect(try !WordPieceTokenizer.load(directory: folder.path, lowercase: false).options.lowercase)
    try folder.write("vocab.txt", Self.vocabulary + "The\n")
    #expect(try !WordPieceTokenizer.load(directory: folder.path).options.lowercase)
  }

  @Test func config() throws {
    let folder = try TemporaryFolder()
    try folder.write("vocab.txt", Self.vocabulary + "<m>\n")
    try folder.write(
      "tokenizer_config.json",
      #"{"do_lower_case":false,"strip_accents":true,"tokenize_chinese_chars":false,"clean_up_tokenization_spaces":true,"#
        + #""model_max_length":1000000000000000019884624838656,"mask_token":{"content":"<m>","lstrip":true},"bos_token":"[B]","#
        + #""added_tokens_decoder":{"9":{"content":"new","special":false}}}"#)
    let tokenizer = try WordPieceTokenizer.load(directory: folder.path)
    #expect(!tokenizer.options.lowercase && tokenizer.options.stripAccents == true && !tokenizer.options.splitsCJK)
    #expect(tokenizer.options.cleanUpTokenizationSpaces)
    #expect(tokenizer.modelMaximumLength == nil)
    #expect(tokenizer.specialTokens.mask == 8)
    #expect(tokenizer.vocabulary.count == 10)
    #expect(tokenizer.encode("the new <m>", specialTokensInText: .maskOnly) == [5, 9, 8])
  }

  @Test func tokenizerJSON() throws {
    let folder = try TemporaryFolder()
    try folder.write("vocab.txt", "not used\n")
    let added = #"[{"id":4,"content":"[MASK]","special":true},{"id":8,"content":"<x>","special":true}]"#
    try folder.write("tokenizer.json", Self.json(added: added))
    let tokenizer = try WordPieceTokenizer.load(directory: folder.path)
    #expect(tokenizer.vocabulary.count == 9)
    #expect(tokenizer.options.lowercase && tokenizer.options.stripAccents == nil && !tokenizer.options.decoderCleansUp)
    #expect(tokenizer.encode("The<x>", specialTokensInText: .all) == [5, 8])
    // The ids need not be in order.
    try folder.write(
      "tokenizer.json", Self.json(vocab: #"{"the":5,"[UNK]":1,"[PAD]":0,"[CLS]":2,"[MASK]":4,"[SEP]":3}"#))
    #expect(try WordPieceTokenizer.load(directory: folder.path).vocabulary.piece(5) == "the")
  }

  @Test(arguments: [
    (json(type: "BPE"), "model.type 'BPE' is not supported"),
    (json(normalizer: #"{"type":"NFC"}"#), "normalizer 'NFC' is not supported"),
    (json(vocab: #"{"[PAD]":0,"a":2}"#), "the piece 'a' has id 2"),
    (json(vocab: #"{"[PAD]":0,"a":-1}"#), "the piece 'a' has id -1"),
    (json(vocab: #"{"[PAD]":0,"a":0}"#), "both have id 0"),
    (json(vocab: #"{"[PAD]":0,"[PAD]":1}"#), "twice"),
    (json(vocab: "{}"), "empty"),
    (json(vocab: "[]"), "model.vocab"),
    (json(added: #"[{"id":40,"content":"x"}]"#), "'x' has id 40"),
    (json(added: #"[{"id":3,"content":"[MASK]"}]"#), "'[MASK]' has id 3"),
    (json(added: #"[{"id":99999999999,"content":"x"}]"#), "'x' has id 99999999999"),
    (json(added: #"[{"content":"x"}]"#), "no id"),
    ("{}", "no 'model'"),
    ("[]", "object"),
    ("{\"model\":{\"vocab\":{\"a\":0.5}}}", "whole number"),
    (json(vocab: #"{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3}"#), "no mask token '[MASK]'"),
  ])
  func badTokenizerJSON(text: String, message: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("tokenizer.json", text)
    do {
      _ = try WordPieceTokenizer.load(directory: folder.path)
      Issue.record("no error for \(message)")
    } catch let error as any ModelError {
      #expect(error.message.contains(message), "\(error)")
      #expect(error.location?.file.hasSuffix("tokenizer.json") == true)
    }
  }

  @Test func missing() throws {
    let folder = try TemporaryFolder()
    #expect(throws: TokenizerError.noVocabularyFile(directory: folder.path)) {
      try WordPieceTokenizer.load(directory: folder.path)
    }
    #expect(throws: FileError.missing(path: folder.path + "/none")) {
      try WordPieceTokenizer.load(directory: folder.path + "/none")
    }
  }

  /// What is written reads back the same, and is written the same again.
  @Test func writing() throws {
    let folder = try TemporaryFolder()
    try folder.write("vocab.txt", Self.vocabulary + "\"q\\\n")
    try folder.write(
      "special_tokens_map.json", #"{"mask_token":"[MASK]","additional_special_tokens":["the"],"eos_token":"[SEP]"}"#)
    try folder.write("tokenizer_config.json", #"{"do_lower_case":true,"strip_accents":false}"#)
    let tokenizer = try WordPieceTokenizer.load(directory: folder.path)
    let files = tokenizer.files(maximumLength: 64)
    #expect(
      files.map(\.name) == ["special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"])
    for only in [
      ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"], ["vocab.txt", "tokenizer_config.json"],
    ] {
      let copy = try TemporaryFolder()
      for (name, bytes) in files where only.contains(name) { try copy.write(name, bytes) }
      let again = try WordPieceTokenizer.load(directory: copy.path)
      #expect(again.options == tokenizer.options)
      #expect(again.specialTokens == tokenizer.specialTokens)
      #expect(again.addedTokens == tokenizer.addedTokens)
      #expect(again.vocabulary.vocabTXT == tokenizer.vocabulary.vocabTXT)
      #expect(again.modelMaximumLength == 64)
      #expect(again.files(maximumLength: 64).map(\.bytes) == files.map(\.bytes))
    }
    let map = try JSONValue.parse(files[0].bytes)
    #expect(map["additional_special_tokens"]?.array?.count == 1 && map["eos_token"]?.string == "[SEP]")
  }
}
