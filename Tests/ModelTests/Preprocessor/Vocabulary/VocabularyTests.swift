import Testing

@testable import Files
@testable import Model

struct VocabularyTests {
  func read(_ text: String) throws -> Vocabulary { try Vocabulary(vocabTXT: Array(text.utf8), file: "vocab.txt") }

  @Test func lines() throws {
    for text in ["a\n##b\n##\nc", "a\n##b\n##\nc\n", "a\r\n##b\r\n##\r\nc\r\n", "\u{FEFF}a\n##b\n##\nc\n\n"] {
      let vocabulary = try read(text)
      #expect(vocabulary.count == 4)
      #expect((0..<4).map { vocabulary.piece($0) } == ["a", "##b", "##", "c"])
      #expect(["a", "##b", "##", "c", "b", "", "##a"].map { vocabulary.id(of: $0) } == [0, 1, 2, 3, nil, nil, nil])
    }
    #expect(try read("a\nb").vocabTXT == Array("a\nb\n".utf8))
    #expect(try read("a\nb").piece(2) == "")
    #expect(try read("a\nb").bytes(of: -1).isEmpty)
  }

  /// Only `\n` ends a line.
  @Test func otherLineEnds() throws {
    #expect(try read("a\u{2028}b\u{85}c\nd").count == 2)
  }

  @Test func canonicallyEquivalentPiecesStayApart() throws {
    let vocabulary = try read("\u{E9}\ne\u{301}\n\u{212B}\n\u{C5}")
    #expect(vocabulary.count == 4)
    #expect(vocabulary.id(of: "e\u{301}") == 1)
    #expect(vocabulary.id(of: "\u{C5}") == 3)
  }

  @Test func errors() throws {
    func location(_ line: Int) -> DataLocation { DataLocation(file: "vocab.txt", line: line) }
    #expect(throws: TokenizerError.emptyVocabulary(file: "vocab.txt")) { try read("\n\n") }
    #expect(throws: TokenizerError.emptyVocabulary(file: "vocab.txt")) { try read("") }
    #expect(throws: TokenizerError.emptyPiece(DataLocation(file: "vocabulary", line: 2))) {
      try Vocabulary(pieces: ["a", "", "b"])
    }
    #expect(throws: TokenizerError.duplicatePiece("a", DataLocation(file: "vocabulary", line: 3), first: 0)) {
      try Vocabulary(pieces: ["a", "b", "a"])
    }
    #expect(throws: TokenizerError.notUTF8(location(2))) {
      try Vocabulary(vocabTXT: [0x61, 0x0A, 0xFF, 0x0A], file: "vocab.txt")
    }
  }

  /// The later id of a duplicate piece is used, as in transformers; the earlier one has no piece.
  @Test func aPieceTwice() throws {
    let vocabulary = try read("a\nbb\na\nc\nbb\n")
    #expect(["a", "bb", "c"].map { vocabulary.id(of: $0) } == [2, 4, 3])
    #expect((0..<5).map { vocabulary.piece($0) } == ["", "", "a", "c", "bb"])
    #expect(vocabulary.count == 5 && vocabulary.pieceCount == 3 && vocabulary.shadowedIDs == [0, 1])
    #expect(vocabulary.vocabTXT == Array("\n\na\nc\nbb\n".utf8))
  }

  /// An id whose line is blank has no piece; the others keep their ids.
  @Test func blankLines() throws {
    let vocabulary = try read("a\n\n \u{3000}\nb\n")
    #expect(vocabulary.count == 4 && vocabulary.id(of: "b") == 3 && vocabulary.id(of: "") == nil)
    #expect((0..<4).map { vocabulary.piece($0) } == ["a", "", "", "b"])
  }

  /// White space at the end of a line is not part of the piece, as in the tokenizers library.
  @Test func trailingBlanks() throws {
    let vocabulary = try read("a \nb\t\u{A0}\u{2028}\r\n c\n")
    #expect((0..<3).map { vocabulary.piece($0) } == ["a", "b", " c"])
  }

  /// Every piece of a large vocabulary is found, and nothing else.
  @Test func manyPieces() throws {
    let pieces = (0..<5000).map { "p\($0)" } + (0..<5000).map { "##p\($0)" }
    let vocabulary = try Vocabulary(pieces: pieces)
    for (id, piece) in pieces.enumerated() { #expect(vocabulary.id(of: piece) == Int32(id)) }
    #expect(vocabulary.id(of: "p5000") == nil)
    #expect(vocabulary.isContinuation(5000) && !vocabulary.isContinuation(0))
  }
}
