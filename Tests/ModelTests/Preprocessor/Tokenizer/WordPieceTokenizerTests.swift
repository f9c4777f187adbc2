import Foundation
import Testing

@testable import Model

struct WordPieceTokenizerTests {
  static let pieces = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "quick", "brown", "fox", "un", "##able", "##a", "##b", "a",
    "b",
    ".", ",", "'", "t", "don", "-", "中", "国", "é", "e", "##e", "ᄀ", "##ᅡ", "[", "]", "mask",
  ]

  static func tokenizer(_ options: WordPieceTokenizer.Options = .init()) throws -> WordPieceTokenizer {
    try WordPieceTokenizer(vocabulary: Vocabulary(pieces: pieces), options: options)
  }

  func tokens(_ text: String, _ special: WordPieceTokenizer.SpecialTokensInText = .none) throws -> [String] {
    let tokenizer = try Self.tokenizer()
    return tokenizer.tokens(tokenizer.encode(text, specialTokensInText: special))
  }

  struct Case: Decodable {
    var setting: String
    var name: String
    var text: String
    var ids: [Int32]
    var offsets: [[Int]]
  }

  /// Created with Hugging Face's tokenizers 0.23.3 from the reference texts, with the pieces that they use.
  @Test func golden() throws {
    var tokenizers: [String: WordPieceTokenizer] = [:]
    for setting in ["uncased", "cased"] {
      let vocabulary = Golden.url("tokenizer/\(setting)_vocab.txt").path
      tokenizers[setting] = try WordPieceTokenizer.load(vocabularyFile: vocabulary, lowercase: setting == "uncased")
    }
    let cases = try jsonLines(Golden.url("tokenizer/cases.jsonl"), as: Case.self)
    #expect(cases.count > 300)
    for row in cases {
      let tokenizer = try #require(tokenizers[row.setting])
      let encoding = tokenizer.encodeWithOffsets(row.text, specialTokensInText: .all)
      #expect(encoding.ids == row.ids, "\(row.setting) \(row.name)")
      #expect(encoding.offsets.map { [$0.lowerBound, $0.upperBound] } == row.offsets, "\(row.setting) \(row.name)")
    }
  }

  @Test func wordsAndPieces() throws {
    #expect(try tokens("The QUICK brown fox.") == ["the", "quick", "brown", "fox", "."])
    #expect(try tokens("unable unab unx") == ["un", "##able", "un", "##a", "##b", "[UNK]"])
    #expect(try tokens("") == [])
    #expect(try tokens(" \t\r\n\u{3000}") == [])
    #expect(try tokens("中国a") == ["中", "国", "a"])
    #expect(try tokens("é e\u{301} É") == ["e", "e", "e"])
    #expect(try tokens("\u{AC00}") == ["ᄀ", "##ᅡ"])
  }

  @Test func specialTokensInText() throws {
    #expect(try tokens("a[MASK]b [SEP]", .none) == ["a", "[", "mask", "]", "b", "[", "[UNK]", "]"])
    #expect(try tokens("a[MASK]b [SEP]", .maskOnly) == ["a", "[MASK]", "b", "[", "[UNK]", "]"])
    #expect(try tokens("a[MASK]b [SEP]", .all) == ["a", "[MASK]", "b", "[SEP]"])
    #expect(try tokens("[mask] [MASK", .all) == ["[", "mask", "]", "[", "mask"])
  }

  /// The limit counts scalars of the normalized word.
  @Test func longWords() throws {
    #expect(try tokens("a" + String(repeating: "b", count: 99)).count == 100)
    #expect(try tokens("a" + String(repeating: "b", count: 100)) == ["[UNK]"])
    #expect(try tokens("a" + String(repeating: "b", count: 5000) + " the") == ["[UNK]", "the"])
    // 100 syllables become 200 scalars.
    #expect(try tokens(String(repeating: "\u{AC00}", count: 51)) == ["[UNK]"])
    // Removed marks do not count.
    #expect(try tokens("a" + String(repeating: "\u{301}", count: 500)) == ["a"])
    let encoding = try Self.tokenizer().encodeWithOffsets("the " + String(repeating: "é", count: 300) + " a")
    #expect(encoding.offsets == [0..<3, 4..<604, 605..<606])
  }

  /// A word is a run of tokens with no gap in the text; a special token ends it.
  @Test func wordStarts() throws {
    let tokenizer = try Self.tokenizer()
    let text = "don't fox-a unable [MASK]the"
    let encoding = tokenizer.encodeWithOffsets(text, specialTokensInText: .maskOnly)
    #expect(
      tokenizer.tokens(encoding.ids)
        == ["don", "'", "t", "fox", "-", "a", "un", "##able", "[MASK]", "the"])
    let expected = [true, false, false, true, false, false, true, false, true, true]
    #expect(encoding.wordStarts == expected)
    var ids: [Int32] = [7]
    var starts = [true]
    Array(text.utf8).withUnsafeBufferPointer {
      tokenizer.encode($0, specialTokensInText: .maskOnly, into: &ids, wordStarts: &starts)
    }
    #expect(ids == [7] + encoding.ids)
    #expect(starts == [true] + expected)
  }

  @Test func optionsAreKept() throws {
    var options = WordPieceTokenizer.Options(lowercase: false)
    #expect(try Self.tokenizer(options).encode("The") == [1])
    #expect(try Self.tokenizer(options).encode("é") == [23])
    options.stripAccents = true
    #expect(try Self.tokenizer(options).encode("é") == [24])
    options.splitsCJK = false
    #expect(try Self.tokenizer(options).encode("中国") == [1])
    options.maximumWordLength = 2
    #expect(try Self.tokenizer(options).encode("the") == [1])
    options.maximumWordLength = 100
    options.cleansText = false
    #expect(try Self.tokenizer(options).encode("the\u{7}") == [1])
  }

  @Test func addedWordsAreAlwaysFound() throws {
    let vocabulary = try Vocabulary(pieces: Self.pieces + ["covid-19"])
    let id = Int32(Self.pieces.count)
    let tokenizer = try WordPieceTokenizer(
      vocabulary: vocabulary,
      addedTokens: [AddedToken(id: id, content: "covid-19", isSpecial: false, isNormalized: true)])
    #expect(tokenizer.encode("the COVID-19 a") == [5, id, 13])
  }

  /// Invalid bytes are read as U+FFFD, which cleaning drops.
  @Test func invalidUTF8() throws {
    let tokenizer = try Self.tokenizer()
    var ids: [Int32] = []
    for bytes: [UInt8] in [
      [0x61, 0xFF, 0x62], [0x61, 0xE4, 0xB8, 0x62], [0xC3, 0x61, 0x62], [0x61, 0x62, 0xF0, 0x9F],
    ] {
      ids.removeAll()
      bytes.withUnsafeBufferPointer { tokenizer.encode($0, into: &ids) }
      #expect(tokenizer.tokens(ids) == ["a", "##b"])
    }
  }

  /// Random bytes with a fixed seed: no trap, and all ways to encode agree with the text decoded first.
  @Test func randomBytes() throws {
    var options = WordPieceTokenizer.Options()
    options.maximumWordLength = 9
    let tokenizers = try [Self.tokenizer(), Self.tokenizer(options), Self.tokenizer(.init(lowercase: false))]
    var state: UInt64 = 42
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let seeds = ["[MASK]", "é", "\u{1D165}\u{302E}", "\u{AC01}", "中", "\u{301}", " ", "the", "İ", "ß"].map {
      Array($0.utf8)
    }
    for _ in 0..<3000 {
      var bytes: [UInt8] = []
      for _ in 0..<next(60) {
        if next(3) == 0 { bytes.append(UInt8(next(256))) } else { bytes += seeds[next(seeds.count)] }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      for tokenizer in tokenizers {
        let special = WordPieceTokenizer.SpecialTokensInText.allCases[next(3)]
        var ids: [Int32] = []
        bytes.withUnsafeBufferPointer { tokenizer.encode($0, specialTokensInText: special, into: &ids) }
        #expect(ids == tokenizer.encode(text, specialTokensInText: special))
        let encoding = bytes.withUnsafeBufferPointer { tokenizer.encodeWithOffsets($0, specialTokensInText: special) }
        #expect(encoding.ids == ids)
        for range in encoding.offsets {
          #expect(range.lowerBound < range.upperBound && range.upperBound <= bytes.count)
        }
        _ = tokenizer.decode(ids + [-5, 1 << 30], skipSpecialTokens: next(2) == 0, cleanUp: next(2) == 0)
      }
    }
  }

  @Test func decode() throws {
    let tokenizer = try Self.tokenizer()
    let ids = tokenizer.encode("The unable fox. don't")
    #expect(tokenizer.decode(ids) == "the unable fox. don ' t")
    #expect(tokenizer.decode([2] + ids + [3], skipSpecialTokens: true, cleanUp: true) == "the unable fox. don't")
    #expect(tokenizer.decode([2, 5, 4, 3]) == "[CLS] the [MASK] [SEP]")
    #expect(tokenizer.decode([10, 5, 99999, -1]) == "##able the")
    #expect(tokenizer.decode([]) == "")
  }

  @Test func missingSpecialToken() throws {
    #expect(throws: TokenizerError.missingSpecialToken("[MASK]", role: "mask", file: "v.txt")) {
      _ = try WordPieceTokenizer(vocabulary: Vocabulary(pieces: Array(Self.pieces[..<4]), file: "v.txt"))
    }
  }
}
