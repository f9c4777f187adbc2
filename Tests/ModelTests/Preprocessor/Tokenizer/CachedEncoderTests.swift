import Foundation
import Testing

@testable import Model
@testable import Tensor

/// The ids with the cache equal those without it, for any text and any earlier text.
struct CachedEncoderTests {
  /// Random numbers with a fixed seed.
  struct Numbers {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func below(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
  }

  func expectSame(
    _ tokenizer: WordPieceTokenizer, _ text: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for special in WordPieceTokenizer.SpecialTokensInText.allCases {
      // Twice, so that the second pass uses the results of the first.
      for _ in 0..<2 {
        var (cached, plain): ([Int32], [Int32]) = ([7], [7])
        text.withUnsafeBufferPointer {
          tokenizer.encode($0, specialTokensInText: special, into: &cached)
          tokenizer.encodeUncached($0, specialTokensInText: special, into: &plain)
        }
        #expect(cached == plain, "\(String(decoding: text.prefix(200), as: UTF8.self))", sourceLocation: sourceLocation)
      }
    }
  }

  static func tokenizers() throws -> [WordPieceTokenizer] {
    var short = WordPieceTokenizer.Options()
    short.maximumWordLength = 5
    var unclean = WordPieceTokenizer.Options(lowercase: false)
    unclean.cleansText = false
    unclean.splitsCJK = false
    let vocabulary = try Vocabulary(pieces: WordPieceTokenizerTests.pieces + ["#", "covid-19", "word"])
    let count = Int32(WordPieceTokenizerTests.pieces.count)
    // Tokens that begin with punctuation are found on the fast path; others send the text to the slow path.
    let added = [
      [AddedToken(id: count, content: "#", isSpecial: false)],
      [AddedToken(id: count + 1, content: "covid-19", isSpecial: false, isNormalized: true)],
    ]
    return try [
      WordPieceTokenizerTests.tokenizer(), WordPieceTokenizerTests.tokenizer(short),
      WordPieceTokenizerTests.tokenizer(unclean), WordPieceTokenizerTests.tokenizer(.init(lowercase: false)),
    ] + added.map { try WordPieceTokenizer(vocabulary: vocabulary, addedTokens: $0) }
  }

  /// Texts of repeated words, bytes and separators, with lengths around those of windows and keys.
  @Test func randomTexts() throws {
    var numbers = Numbers(1)
    let parts: [[UInt8]] =
      [
        "the", "THE", "Quick", "unable", "a", "b", "ab", "7", "[MASK]", "[mask]", "[SEP", "covid-19", "COVID-19", "#",
        "é",
        "É", "e\u{301}", "İ", "ß", "中", "中国", "\u{AC01}", "\u{1D165}\u{302E}", "\u{301}", "\u{A0}", "\u{3000}",
        "\u{200B}",
        " ", "  ", "\t", "\n", "\r\n", ".", ",", "...", "don't", "\u{0}", "\u{7F}", "\u{B}", "\u{C}",
        String(repeating: " ", count: 70), "def f(self, x_1=None):",
      ].map { Array($0.utf8) }
      + [14, 15, 16, 17, 31, 32, 33, 63, 64, 65, 99, 100, 101, 200].map { Array(repeating: 0x61, count: $0) }
      + [7, 8, 15, 16, 33, 60].map { Array(String(repeating: "é", count: $0).utf8) }
    for tokenizer in try Self.tokenizers() {
      for _ in 0..<1500 {
        var text: [UInt8] = []
        for _ in 0..<numbers.below(30) {
          switch numbers.below(8) {
          case 0: text.append(UInt8(numbers.below(256)))
          case 1: text += (0..<numbers.below(20)).map { _ in UInt8(0x20 + numbers.below(0x60)) }
          case 2, 3: text.append(0x20)
          default: text += parts[numbers.below(parts.count)]
          }
        }
        expectSame(tokenizer, text)
      }
    }
  }

  /// All lengths and all offsets within a window, up to the end of the text.
  @Test func offsetsAndLengths() throws {
    let tokenizer = try WordPieceTokenizerTests.tokenizer()
    for length in 1...40 {
      for offset in 0..<130 {
        let word = Array(String(repeating: "ab", count: length).utf8.prefix(length))
        expectSame(tokenizer, Array(repeating: 0x20, count: offset) + word)
        expectSame(tokenizer, Array(repeating: 0x2E, count: offset) + word + [0x2C] + word)
      }
    }
  }

  /// Words that differ in details that a key might omit: case, length, the last byte, trailing zeros.
  @Test func wordsThatAreAlike() throws {
    let tokenizer = try WordPieceTokenizerTests.tokenizer()
    var unclean = WordPieceTokenizer.Options()
    unclean.cleansText = false
    let keepsControls = try WordPieceTokenizerTests.tokenizer(unclean)
    for text in ["a a\u{0} a\u{0}\u{0} a", "the thE tHE th the\u{0}", "@a `a [a {a 0 \u{10} P p", "é É e é\u{0} é"] {
      expectSame(tokenizer, Array(text.utf8))
      expectSame(keepsControls, Array(text.utf8))
    }
    #expect(tokenizer.encode("the") == [5])
    #expect(tokenizer.encode("THE the The") == [5, 5, 5])
  }

  /// More words than the cache holds, so that all of its slots are replaced.
  @Test func moreWordsThanSlots() throws {
    let tokenizer = try SmallTokenizer.english()
    var numbers = Numbers(3)
    var text: [UInt8] = []
    for _ in 0..<150_000 {
      let letters = numbers.below(4) == 0 ? 16 + numbers.below(18) : 1 + numbers.below(15)
      text += (0..<letters).map { _ in UInt8(0x61 + numbers.below(26)) }
      text.append(0x20)
    }
    expectSame(tokenizer, text)
  }

  /// Threads that take turns with the caches.
  @Test func threads() throws {
    let tokenizer = try SmallTokenizer.english()
    let texts = (0..<400).map { index in
      Array("The quick brown fox jumped \(index) times, \(index * 7919) or more; x\(index % 13)y.".utf8)
    }
    let expected = texts.map { text in
      var ids: [Int32] = []
      text.withUnsafeBufferPointer { tokenizer.encodeUncached($0, into: &ids) }
      return ids
    }
    let results = UnsafeMutablePointer<[Int32]>.allocate(capacity: texts.count)
    results.initialize(repeating: [], count: texts.count)
    defer {
      results.deinitialize(count: texts.count)
      results.deallocate()
    }
    nonisolated(unsafe) let shared = results
    WorkerPool(threads: 8).forEach(texts.count) { _, index in
      for _ in 0..<20 {
        shared[index].removeAll()
        texts[index].withUnsafeBufferPointer { tokenizer.encode($0, into: &shared[index]) }
      }
    }
    for index in texts.indices { #expect(results[index] == expected[index]) }
  }
}

/// The same tests with the real vocabularies.
@Suite struct CachedEncoderReferenceTests {
  @Test(arguments: ["english", "languages", "unicode", "fuzz"])
  func texts(file: String) throws {
    struct Row: Decodable { var text: String }
    let rows = try jsonLines(#require(Reference.url("tokenizer/\(file).jsonl")), as: Row.self)
    for tokenizer in TokenizerReferenceTests.tokenizers.values {
      // One by one, and all together.
      for row in rows { CachedEncoderTests().expectSame(tokenizer, Array(row.text.utf8)) }
      CachedEncoderTests().expectSame(tokenizer, Array(rows.map(\.text).joined(separator: "\n").utf8))
    }
  }
}
