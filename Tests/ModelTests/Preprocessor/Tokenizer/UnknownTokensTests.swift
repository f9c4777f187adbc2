import Foundation
import TestSupport
import Testing

@testable import Model

/// Warnings about [UNK] in a text: how often, why, and an example.
@Suite struct UnknownTokensTests {
  private func tokenizer(lowercase: Bool, _ words: [String] = ["the", "fox", "a", "##b"]) throws -> WordPieceTokenizer {
    try WordPieceTokenizer(
      vocabulary: Vocabulary(pieces: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + words),
      options: .init(lowercase: lowercase))
  }

  private func warning(
    _ text: String, _ tokenizer: WordPieceTokenizer,
    _ special: WordPieceTokenizer.SpecialTokensInText = .none
  ) -> String? {
    var unknown = UnknownTokens(tokenizer)
    var text = text
    text.withUTF8 { bytes in
      var ids: [Int32] = []
      tokenizer.encode(bytes, specialTokensInText: special, into: &ids)
      unknown.add(ids, of: bytes, tokenizer, specialTokensInText: special)
    }
    return unknown.warning
  }

  @Test func causes() throws {
    let lower = try tokenizer(lowercase: true)
    #expect(warning("the fox", lower) == nil && warning("", lower) == nil)
    #expect(
      warning("the a☃ fox", lower)
        == "1 of 3 tokens (33.3 %) are [UNK], mostly words with characters outside the vocabulary, such as "
        + "'☃' in 'a☃'")
    // 'b' is in the vocabulary, but not at the beginning of a word.
    #expect(warning("b the", lower)?.hasSuffix("such as 'b' in 'b'") == true)
    let long = String(repeating: "a", count: 101)
    #expect(
      warning("the \(long) ☃ \(long)", lower)
        == "3 of 4 tokens (75.0 %) are [UNK], mostly words of more than 100 characters, such as '\(long.prefix(20))…'")
    #expect(
      warning("The fox", try tokenizer(lowercase: false))
        == "1 of 2 tokens (50.0 %) are [UNK], mostly words that are in the vocabulary only in lower case, such as 'The'"
    )
    #expect(
      warning("The fox", try tokenizer(lowercase: true, ["The", "fox"]))
        == "1 of 2 tokens (50.0 %) are [UNK], mostly words that are in the vocabulary only with capital letters, "
        + "which lowercasing removes, such as 'The'")
    #expect(warning("the [UNK]", lower, .all)?.hasSuffix("mostly [UNK] in the text itself") == true)
  }

  /// One in a hundred is not worth a warning.
  @Test func onlyAboveOnePercent() throws {
    let lower = try tokenizer(lowercase: true)
    let words = Array(repeating: "the", count: 99).joined(separator: " ")
    #expect(warning(words + " ☃", lower) == nil)
    #expect(warning(words + " ☃ ☃", lower)?.hasPrefix("2 of 101 tokens (2.0 %) are [UNK]") == true)
  }

  /// A corpus counts them while it is read, with any number of threads; a large one counts part of each block.
  @Test func ofACorpus() throws {
    let lower = try tokenizer(lowercase: true)
    let folder = try TemporaryFolder()
    let line = "the fox ☃ the fox the fox\n"
    let small = try folder.write("small.txt", String(repeating: line, count: 50))
    let corpus = try TextCorpus(paths: [small], tokenizer: lower, options: CorpusOptions(sequenceLength: 16))
    #expect(corpus.unknownTokens.tokens == 350 && corpus.unknownTokens.unknown == 50)
    #expect(corpus.unknownTokens.warning?.hasSuffix("such as '☃' in '☃'") == true && corpus.warnings.isEmpty)
    let large = try folder.write("large.txt", String(repeating: line, count: (10 << 20) / line.utf8.count))
    let counted = try [1, 3].map { threads in
      try TextCorpus(paths: [large], tokenizer: lower, options: CorpusOptions(sequenceLength: 16, threads: threads))
        .unknownTokens
    }
    #expect(counted[0] == counted[1] && counted[0].isSample && !corpus.unknownTokens.isSample)
    #expect(abs(counted[0].share - 1.0 / 7) < 1e-4 && counted[0].tokens * line.utf8.count > 7 * (8 << 20))
    #expect(counted[0].tokens * line.utf8.count < 7 * (9 << 20))
    #expect(counted[0].warning?.contains(" sampled tokens (14.3 %) are [UNK]") == true)
  }
}
