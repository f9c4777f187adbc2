import Foundation
import TestSupport
import Testing

@testable import Files
@testable import Model
@testable import Text

struct TokenizerFilesTests {
  static let vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nquick\n##ly\n"

  static let template =
    #"{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]"}},{"Sequence":{"id":"A"}},{"SpecialToken":{"id":"[SEP]"}}]}"#

  static func json(
    vocab: String = ###"{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,"the":5,"quick":6,"##ly":7}"###,
    added: String = "[]", normalizer: String = #"{"type":"BertNormalizer","lowercase":true,"strip_accents":null}"#,
    type: String = "WordPiece", processor: String = template
  ) -> String {
    """
    {"truncation":{"max_length":8},"post_processor":\(processor),"added_tokens":\(added),"normalizer":\(normalizer),
    "pre_tokenizer":{"type":"BertPreTokenizer"},"decoder":{"type":"WordPiece","prefix":"##","cleanup":false},
    "model":{"type":"\(type)","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":\(vocab)}}
    """
  }

  @Test func vocabTXT() throws {
    let folder = try TemporaryFolder()
    try folder.write("vocab.txt", Self.vocabulary)
    let tokenizer = try WordPieceTokenizer.load(directory: folder.path)
    // Only pieces such as [PAD] have capital letters.
    #expect(tokenizer.options.lowercase)
    #expect(tokenizer.encode("The quickly") == [5, 6, 7])
    #expect(tokenizer.modelMaximumLength == nil)
    #expect(try !WordPieceTokenizer.load(directory: folder.path, lowercase: false).options.lowercase)
    // transformers lower-cases unless do_lower_case is false, whatever the pieces.
    try folder.write("vocab.txt", Self.vocabulary + "The\n")
    let capitals = try WordPieceTokenizer.load(directory: folder.path)
    #expect(capitals.options.lowercase && capitals.notes.count == 1 && capitals.notes[0].contains("do_lower_case"))
    #expect(try !WordPieceTokenizer.load(vocabularyFile: folder.path + "/vocab.txt").options.lowercase)
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
    #expect(tokenizer.options.lowercase && tokenizer.options.stripAccents == nil)
    #expect(tokenizer.encode("The<x>", specialTokensInText: .all) == [5, 8])
    // The ids may be in any order.
    try folder.write(
      "tokenizer.json", Self.json(vocab: #"{"the":5,"[UNK]":1,"[PAD]":0,"[CLS]":2,"[MASK]":4,"[SEP]":3}"#))
    #expect(try WordPieceTokenizer.load(directory: folder.path).vocabulary.piece(5) == "the")
  }

  @Test(arguments: [
    (json(type: "BPE"), "model.type 'BPE' is not supported"),
    (json(vocab: #"{"[PAD]":0,"a":200000}"#), "the piece 'a' has id 200000"),
    (json(vocab: #"{"[PAD]":0,"a":-1}"#), "the piece 'a' has id -1"),
    (json(vocab: #"{"[PAD]":0,"a":0}"#), "duplicate id 0"),
    (json(vocab: #"{"[PAD]":0,"[PAD]":1}"#), "duplicate key"),
    (json(vocab: "{}"), "empty"),
    (json(vocab: "[]"), "model.vocab"),
    (json(added: #"[{"id":40,"content":"x"}]"#), "'x' has id 40"),
    (json(added: #"[{"id":3,"content":"[MASK]"}]"#), "'[MASK]' has id 3"),
    (json(added: #"[{"id":99999999999,"content":"x"}]"#), "'x' has id 99999999999"),
    (json(added: #"[{"content":"x"}]"#), "missing 'content' or 'id'"),
    ("{}", "missing key 'model'"),
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

  /// A class that uses tokenizer.json.
  static let fast = #"{"tokenizer_class":"PreTrainedTokenizerFast"}"#

  @Test(arguments: [
    (json(normalizer: #"{"type":"NFKC"}"#), "normalizer 'NFKC' is not supported"),
    (
      json(normalizer: #"{"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"Precompiled"}]}"#),
      "normalizer 'Precompiled' is not supported"
    ),
    (
      json(normalizer: #"{"type":"Replace","pattern":{"Regex":"a+"},"content":""}"#),
      "the pattern of the normalizer Replace"
    ),
    (
      json(normalizer: #"{"type":"Replace","pattern":{"String":""},"content":""}"#),
      "the pattern of the normalizer Replace"
    ),
    (
      json().replacingOccurrences(of: "BertPreTokenizer", with: "ByteLevel"),
      "pre_tokenizer 'ByteLevel' is not supported"
    ),
  ])
  func aComponentThatIsNotReadIsRefusedByName(text: String, message: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("tokenizer.json", text)
    try folder.write("tokenizer_config.json", Self.fast)
    do {
      _ = try WordPieceTokenizer.load(directory: folder.path)
      Issue.record("no error for \(message)")
    } catch let error as any ModelError {
      #expect(error.message.contains(message), "\(error)")
    }
    // BERT's own classes ignore it.
    try folder.write("tokenizer_config.json", #"{"tokenizer_class":"DistilBertTokenizer"}"#)
    let tokenizer = try WordPieceTokenizer.load(directory: folder.path)
    #expect(tokenizer.encode("The quickly") == [5, 6, 7])
    #expect(
      tokenizer.notes.contains { $0.contains("DistilBertTokenizer") && $0.contains("the class takes precedence") })
  }

  /// If the files disagree, the class that tokenizer_config.json names decides, as in transformers 5.
  @Test func theNamedClassDecides() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      "tokenizer.json",
      Self.json(normalizer: #"{"type":"BertNormalizer","lowercase":false,"strip_accents":null}"#))
    func load(_ config: String?) throws -> WordPieceTokenizer {
      if let config { try folder.write("tokenizer_config.json", config) }
      return try WordPieceTokenizer.load(directory: folder.path)
    }
    // Without a class, or with a null do_lower_case: the default of the model's own class.
    for config in [nil, "{}", #"{"do_lower_case":null,"tokenizer_class":"DistilBertTokenizer"}"#] {
      let tokenizer = try load(config)
      #expect(tokenizer.options.lowercase && tokenizer.notes.count == 1, "\(config ?? "none")")
    }
    for name in ["BertTokenizer", "DistilBertTokenizerFast", "ElectraTokenizer"] {
      let config = #"{"do_lower_case":true,"tokenizer_class":"\#(name)"}"#
      #expect(try load(config).options.lowercase && load(config).notes[0].contains(name))
      let same = try load(#"{"do_lower_case":false,"tokenizer_class":"\#(name)"}"#)
      #expect(!same.options.lowercase && same.notes.isEmpty)
    }
    for name in ["PreTrainedTokenizerFast", "SomeTokenizer"] {
      let tokenizer = try load(#"{"do_lower_case":true,"tokenizer_class":"\#(name)"}"#)
      #expect(
        !tokenizer.options.lowercase && tokenizer.notes.count == 1
          && tokenizer.notes[0].contains("tokenizer.json takes precedence"))
    }
  }

  /// A class that reads text differently from BERT is rejected, whichever file names it.
  @Test func aClassOfAnotherKindIsRefused() throws {
    let folder = try TemporaryFolder()
    try folder.write("tokenizer.json", Self.json())
    for name in ["RobertaTokenizer", "XLMRobertaTokenizerFast", "BertJapaneseTokenizer"] {
      try folder.write("tokenizer_config.json", #"{"tokenizer_class":"\#(name)"}"#)
      #expect(throws: TokenizerError.self, "\(name)") { try WordPieceTokenizer.load(directory: folder.path) }
    }
    try folder.write("tokenizer_config.json", "{}")
    try folder.write("config.json", #"{"tokenizer_class":"GPT2Tokenizer"}"#)
    #expect(throws: TokenizerError.self) { try WordPieceTokenizer.load(directory: folder.path) }
  }

  /// config.json names the class if tokenizer_config.json does not.
  @Test func theClassInTheModelsConfiguration() throws {
    let folder = try TemporaryFolder()
    try folder.write("tokenizer.json", Self.json(normalizer: "null"))
    try folder.write("config.json", #"{"tokenizer_class":"PreTrainedTokenizerFast"}"#)
    #expect(try !WordPieceTokenizer.load(directory: folder.path).options.lowercase)
    try folder.write("tokenizer_config.json", #"{"tokenizer_class":"BertTokenizer"}"#)
    #expect(try WordPieceTokenizer.load(directory: folder.path).options.lowercase)
  }

  /// If transformers surrounds a text with tokens other than [CLS] and [SEP], a note says so.
  @Test func anotherPostProcessor() throws {
    let folder = try TemporaryFolder()
    try folder.write("tokenizer_config.json", Self.fast)
    func notes(_ processor: String) throws -> [String] {
      try folder.write("tokenizer.json", Self.json(processor: processor))
      return try WordPieceTokenizer.load(directory: folder.path).notes
    }
    for other in ["null", #"{"type":"ByteLevel"}"#, #"{"type":"BertProcessing","cls":["[SEP]",3],"sep":["[CLS]",2]}"#] {
      #expect(try notes(other).count == 1 && notes(other)[0].contains("post_processor"), "\(other)")
    }
    #expect(try notes(#"{"type":"BertProcessing","cls":["[CLS]",2],"sep":["[SEP]",3]}"#).isEmpty)
    #expect(try notes(Self.template).isEmpty)
  }

  /// `##ly` by itself is a piece of the vocabulary if `#` does not split words, as in the tokenizers library.
  @Test func aWordThatBeginsLikeAContinuation() throws {
    let folder = try TemporaryFolder()
    try folder.write("tokenizer_config.json", Self.fast)
    try folder.write(
      "tokenizer.json", Self.json().replacingOccurrences(of: "BertPreTokenizer", with: "WhitespaceSplit"))
    let tokenizer = try WordPieceTokenizer.load(directory: folder.path)
    #expect(["##ly", "##lyly", "##x", "thely"].map { tokenizer.encode($0) } == [[7], [7, 7], [1], [5, 7]])
  }

  /// White space that a token includes is not tokenized again. Values: tokenizers 0.23.
  @Test func strippedWhiteSpaceIsThereOnce() throws {
    let folder = try TemporaryFolder()
    let added = #"[{"id":8,"content":"  ","lstrip":true,"rstrip":true}]"#
    try folder.write("tokenizer.json", Self.json(added: added))
    let tokenizer = try WordPieceTokenizer.load(directory: folder.path)
    for blanks in 2...6 {
      let text = "the" + String(repeating: " ", count: blanks) + "quick"
      #expect(tokenizer.encode(text) == [5, 8, 6], "\(blanks)")
      #expect(tokenizer.encodeWithOffsets(text).offsets == [0..<3, 3..<3 + blanks, 3 + blanks..<8 + blanks])
    }
  }

  /// Ids without a piece are unreachable, and the others stay.
  @Test func holes() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      "tokenizer.json",
      Self.json(vocab: ###"{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,"the":7,"quick":9,"##ly":12}"###))
    let tokenizer = try WordPieceTokenizer.load(directory: folder.path)
    #expect(tokenizer.vocabulary.count == 13)
    #expect(tokenizer.encode("the quickly") == [7, 9, 12])
    #expect(tokenizer.decode([7, 8, 9, 12]) == "the quickly")
    let copy = try TemporaryFolder()
    for (name, bytes) in tokenizer.files(maximumLength: 64) { try copy.write(name, bytes) }
    #expect(try WordPieceTokenizer.load(directory: copy.path).encode("the quickly") == [7, 9, 12])
    // The id of an added token after them differs from the one that transformers assigns.
    try folder.write(
      "tokenizer.json",
      Self.json(
        vocab: ###"{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,"the":7}"###, added: #"[{"id":8,"content":"x"}]"#
      ))
    #expect(throws: TokenizerError.addedTokenID("x", id: 8, expected: 6, file: folder.path + "/tokenizer.json")) {
      try WordPieceTokenizer.load(directory: folder.path)
    }
  }

  /// One note describes all irregularities of a vocab.txt.
  @Test func oneNoteForAVocabulary() throws {
    let folder = try TemporaryFolder()
    try folder.write("vocab.txt", "\u{FEFF}" + Self.vocabulary + "the\n\nlast \n")
    let tokenizer = try WordPieceTokenizer.load(directory: folder.path)
    #expect(tokenizer.encode("the last") == [8, 10])
    #expect(tokenizer.notes.count == 1)
    for part in ["byte-order mark", "1 duplicate piece", "1 blank line", "white space dropped from 1 line"] {
      #expect(tokenizer.notes[0].contains(part), "\(tokenizer.notes)")
    }
  }

  /// Tokens that the files list as special are found in text, and never selected for masking.
  @Test func specialTokensOfUsers() throws {
    let folder = try TemporaryFolder()
    try folder.write("vocab.txt", Self.vocabulary + "<a>\n<b>\n<c>\n")
    try folder.write(
      "special_tokens_map.json",
      #"{"additional_special_tokens":["<a>",{"content":"<b>","lstrip":true}],"bos_token":"<c>","eos_token":"<none>"}"#)
    let tokenizer = try WordPieceTokenizer.load(directory: folder.path)
    #expect(tokenizer.encode("the<a> <b>THE<c>") == [5, 8, 9, 5, 10])
    #expect(Set(tokenizer.specialTokenIDs) == [0, 1, 2, 3, 4, 8, 9, 10])
    #expect(
      tokenizer.notes.count == 1
        && tokenizer.notes[0].contains("missing from the vocabulary are read as plain text: '<none>'"))
    let preprocessor = try DistilBertMaskedLMPreprocessor(
      tokenizer: tokenizer, sequenceLength: 16, masking: MaskingOptions(selectionRate: 1))
    #expect(try preprocessor.sample(["the <a> quick <b> <c>"]).labels == [5, 6])
  }

  /// A token outside the vocabulary is found as such, and no word is split into it.
  @Test func anAddedTokenIsNoPiece() throws {
    let folder = try TemporaryFolder()
    let added = #"[{"id":8,"content":"qui","single_word":true,"normalized":true}]"#
    try folder.write("tokenizer.json", Self.json(added: added))
    let tokenizer = try WordPieceTokenizer.load(directory: folder.path)
    #expect(tokenizer.encode("qui quily QUI.") == [8, 1, 8, 1])
    #expect(tokenizer.vocabulary.id(of: "qui") == 8 && tokenizer.decode([8]) == "qui")
    #expect(tokenizer.vocabulary.vocabTXT == Array(Self.vocabulary.utf8))
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

  /// A written tokenizer reads back the same, and is written the same again.
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
