import TestSupport
import Testing

@testable import Files
@testable import Model
@testable import Tensor

/// Packed lines, and pairs.
@Suite struct TextCorpusLayoutTests {
  let folder: TemporaryFolder
  let tokenizer: WordPieceTokenizer

  init() throws {
    folder = try TemporaryFolder()
    tokenizer = try SmallTokenizer.english()
  }

  func corpus(
    _ texts: String..., layout: TextCorpus.Layout, length: Int, masking: MaskingOptions = MaskingOptions(),
    threads: Int = 1
  ) throws -> TextCorpus {
    let paths = try texts.enumerated().map { try folder.write("\($0).txt", $1) }
    return try TextCorpus(
      paths: paths, tokenizer: tokenizer,
      options: CorpusOptions(
        sequenceLength: length, layout: layout, masking: masking, temporaryDirectory: folder.path, threads: threads))
  }
  func texts(_ corpus: any SampleSource) throws -> [[Int32]] {
    try (0..<corpus.count).map { try corpus.sample($0, epoch: 0).text }
  }
  func ids(_ text: String) -> [Int32] { tokenizer.encode(text) }

  // MARK: Packed

  @Test func packedLines() throws {
    let corpus = try corpus(
      "the quick fox\r\n\n \t\nbrown fox\njumped\nthe\u{0}\n\u{1}\nfox zzz the", "the", layout: .packed, length: 8)
    // Six tokens per sample: "jumped" does not fit after the [SEP]; "zzz" (three pieces) does not fit whole.
    #expect(
      try texts(corpus) == [
        ids("the quick fox") + [3] + ids("brown fox"), ids("jumped") + [3] + ids("the") + [3] + ids("fox"),
        ids("zzz the"), ids("the"),
      ])
    let sample = try corpus.sample(0, epoch: 0)
    #expect(sample.tokenIDs.first == 2 && sample.tokenIDs.last == 3 && sample.tokenIDs.count == 8)
    #expect((0..<4).map { corpus.location(of: $0).line } == [1, 5, 8, 1])
    #expect(
      corpus.notes == ["skipped 2 blank lines", "7 lines packed into 4 samples, no token lost"])
  }

  /// All tokens of all lines are kept in order, whatever the lengths; samples are full except for a partial word.
  @Test func packedLosesNothing() throws {
    var draws = RandomStream(seed: 3, purpose: .shuffle)
    let lines = (0..<400).map { _ in
      (0..<draws.below(30)).map { _ in
        ["the", "quick,", "fox-like", String(repeating: "z", count: 1 + draws.below(12)), "don't", "Über"][
          draws.below(6)]
      }.joined(separator: " ")
    }
    for length in [3, 4, 7, 20, 128] {
      let corpus = try corpus(lines.joined(separator: "\n"), layout: .packed, length: length, threads: 2)
      let samples = try texts(corpus)
      #expect(samples.allSatisfy { !$0.isEmpty && $0.count <= length - 2 && $0.last != 3 && $0.first != 3 })
      #expect(samples.joined().filter { $0 != 3 } == lines.flatMap { ids($0) }, "\(length)")
      if length >= 20 { #expect(samples.dropLast().allSatisfy { $0.count > length - 2 - 14 }) }
      for index in stride(from: 0, to: corpus.count, by: 7) {
        #expect(try corpus.sample(index, epoch: 1).text == samples[index])
      }
    }
  }

  @Test func packedWholeWords() throws {
    let masking = MaskingOptions(selectionRate: 0.4, maskTokenRate: 1, randomTokenRate: 0, wholeWords: true)
    let corpus = try corpus("the zzz\nfox don't\nbrown\n", layout: .packed, length: 32, masking: masking)
    // the | z ##z ##z | [SEP] | fox | d ##o ##n ' t | [SEP] | brown
    let words: [Set<Int32>] = [[1], [2, 3, 4], [6], [7, 8, 9, 10, 11], [13]]
    for epoch in 0..<40 {
      let sample = try corpus.sample(0, epoch: epoch)
      let chosen = words.filter { !$0.isDisjoint(with: sample.maskPositions) }
      #expect(chosen.count == 2 && Set(sample.maskPositions) == chosen.reduce(into: []) { $0.formUnion($1) })
    }
  }

  @Test func packedSplit() throws {
    let lines = (0..<300).map { "the fox \($0) " + String(repeating: "quick ", count: $0 % 17) }
    let corpus = try corpus(
      lines[..<100].joined(separator: "\n"), lines[100...].joined(separator: "\n\n"), layout: .packed, length: 24)
    let (train, validation) = try corpus.split(validation: 0.1, seed: 4)
    func found(_ part: any SampleSource) throws -> [String] {
      // Lines are split across samples: joins them again by the samples' first tokens.
      let all = try texts(part).joined().filter { $0 != 3 }
      var rest = all[...]
      return lines.filter { line in
        let tokens = ids(line)
        guard rest.starts(with: tokens) else { return false }
        rest = rest.dropFirst(tokens.count)
        return true
      }
    }
    let (trained, validated) = (try found(train), try found(validation))
    #expect(trained.count == 270 && validated.count == 30)
    #expect(Set(trained).isDisjoint(with: validated) && Set(trained).union(validated) == Set(lines))
    #expect(try texts(train).joined().filter { $0 != 3 } == Array(trained.map { ids($0) }.joined()))
    #expect(try texts(corpus.split(validation: 0.1, seed: 4).validation) == texts(validation))
    #expect(try texts(corpus.split(validation: 0.1, seed: 5).validation) != texts(validation))
  }

  // MARK: Pairs

  @Test func pairs() throws {
    let corpus = try corpus(
      "the fox\tquick\r\n \t \nfox fox fox fox fox\tthe the the the\n\tthe\nbrown\t\n", layout: .pairs, length: 9)
    // Six tokens for both: one for each segment in turn.
    #expect(
      try texts(corpus) == [
        ids("the fox") + [3] + ids("quick"), ids("fox fox fox") + [3] + ids("the the the"), [3] + ids("the"),
        ids("brown") + [3],
      ])
    #expect((0..<4).map { corpus.location(of: $0).line } == [1, 3, 4, 5])
    #expect(corpus.statistics.longLines == 1 && corpus.statistics.droppedTokens == 3)
    #expect(corpus.notes.last == "1 pair of more than 6 tokens cut: 3 tokens dropped")
    let sample = try corpus.sample(1, epoch: 0)
    #expect(sample.tokenIDs.count == 9 && sample.tokenIDs[4] == 3 && sample.tokenIDs[8] == 3)
  }

  @Test func pairsAsThePreprocessorMakesThem() throws {
    let masking = MaskingOptions(wholeWords: true, seed: 5)
    let preprocessor = try DistilBertMaskedLMPreprocessor(tokenizer: tokenizer, sequenceLength: 12, masking: masking)
    let segments = (0..<50).map { number in
      [
        String(repeating: "fox-like zz ", count: number % 5) + "the",
        String(repeating: "quick don't ", count: number % 7) + "jumped",
      ]
    }
    let text = segments.map { $0.joined(separator: "\t") }.joined(separator: "\n")
    let corpus = try corpus(text, layout: .pairs, length: 12, masking: masking)
    #expect(corpus.count == 50)
    for (index, pair) in segments.enumerated() {
      #expect(try corpus.sample(index, epoch: 3) == preprocessor.sample(pair, epoch: 3, index: index))
    }
  }

  @Test func whatIsNoPair() throws {
    func error(_ text: String) -> PreprocessorError? {
      do {
        _ = try corpus("a\tb\n", text, layout: .pairs, length: 8)
        return nil
      } catch { return error as? PreprocessorError }
    }
    let location = { DataLocation(file: self.folder.path + "/1.txt", line: $0) }
    #expect(error("a\tb\n\nthe fox\na\tb\tc") == .notAPair(location(3), tabs: 0))
    #expect(error("a\tb\tc\n") == .notAPair(location(1), tabs: 2))
    #expect(error("a\tb\n") == nil)
    #expect(throws: PreprocessorError.sequenceTooShort(length: 3, needed: 4)) {
      try self.corpus("a\tb", layout: .pairs, length: 3)
    }
  }

  // MARK: Large

  /// More samples than an index holds in memory, more text than is read at once, several blocks.
  @Test func largeIndex() throws {
    let count = SpillableArray.memoryLimit + 5000
    let text = (0..<count).map { "fox \($0)\n" }.joined()
    for layout in [TextCorpus.Layout.lines, .packed] {
      let corpus = try corpus(text, layout: layout, length: 16, threads: 3)
      if layout == .lines {
        #expect(corpus.count == count)
        for index in [0, 1, 70_000, SpillableArray.memoryLimit - 1, SpillableArray.memoryLimit, count - 1] {
          #expect(try corpus.sample(index, epoch: 0).text == ids("fox \(index)"))
          #expect(corpus.location(of: index).line == index + 1)
        }
        let parts = try corpus.split(validation: 0.01, seed: 1)
        #expect(parts.validation.count == (count + 50) / 100 && parts.train.count == count - parts.validation.count)
      } else {
        #expect(corpus.statistics.textLines == count && corpus.count < count)
        #expect(try corpus.sample(corpus.count - 1, epoch: 0).text.suffix(7) == ids("fox \(count - 1)")[...])
      }
    }
  }
}
