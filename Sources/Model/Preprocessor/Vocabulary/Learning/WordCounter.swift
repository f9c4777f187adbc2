import Glibc
import Tensor
import Text

/// Counts the words of texts, split and normalized as the tokenizer does it. Blocks of lines are read by several threads and let go
/// behind; memory grows with the different words, not with the text.
struct WordCounter {
  private let normalizer: TextNormalizer
  private let classes: [UInt8]
  private let maximumWordLength: Int
  private let pool: WorkerPool
  /// One for each thread.
  private let tallies: [Tally]
  /// Bytes of a block; it goes on to the end of its last line.
  private static let blockBytes = 1 << 20

  init(_ options: WordPieceTokenizer.Options, threads: Int) {
    normalizer = TextNormalizer(
      cleansText: options.cleansText, splitsCJK: options.splitsCJK, stripsAccents: options.stripsAccents,
      lowercases: options.lowercase)
    classes = normalizer.byteClasses()
    maximumWordLength = options.maximumWordLength
    pool = threads > 1 ? WorkerPool(threads: min(threads, Compute.maximumThreads)) : .serial
    tallies = (0..<pool.threads).map { _ in Tally() }
  }

  /// What one thread has counted.
  private final class Tally {
    let words = WordTable()
    /// How words stand in the text where that differs from their normalized form.
    var otherSpellings = SpellingSet()
    var longWords: UInt64 = 0
  }

  /// What was counted.
  struct Counts {
    /// In the order of their bytes.
    let words: WordTable
    /// Different words of the text itself, before normalization made some of them equal.
    let spellings: Int
    /// How often there was a word too long to have pieces.
    let longWords: Int
  }

  /// Counts the words of a text; `release` is told of each part of it that is done with.
  ///
  /// - Throws: `CancellationError` between parts where the task is canceled.
  func add(_ text: UnsafeBufferPointer<UInt8>, release: (Range<Int>) -> Void = { _ in }) throws {
    var start = 0
    while start < text.count {
      try Task.checkCancellation()
      // A few blocks for each thread at a time.
      let first = start
      var blocks: [Range<Int>] = []
      while start < text.count, blocks.count < 8 * pool.threads {
        let end = min(TextLines.lineEnd(text, from: min(start + Self.blockBytes, text.count)) + 1, text.count)
        blocks.append(start..<end)
        start = end
      }
      pool.forEach(blocks.count) { worker, index in
        count(UnsafeBufferPointer(rebasing: text[blocks[index]]), into: tallies[worker])
      }
      release(first..<start)
    }
  }

  /// All words. The threads' tallies are put together for that: nothing can be added any more.
  consuming func finish() -> Counts {
    let all = tallies[0]
    for tally in tallies.dropFirst() {
      all.words.add(tally.words)
      all.otherSpellings.formUnion(tally.otherSpellings)
      all.longWords += tally.longWords
    }
    all.words.sort()
    let spellings = all.words.entries.count(where: \.isSpelledSo) + all.otherSpellings.count
    return Counts(words: all.words, spellings: spellings, longWords: Int(all.longWords))
  }

  private func count(_ text: UnsafeBufferPointer<UInt8>, into tally: Tally) {
    let limit = maximumWordLength
    withUnsafeTemporaryAllocation(
      byteCount: WordBuffer.byteCount(limit: limit, tracking: false), alignment: 16
    ) { memory in
      guard let base = memory.baseAddress, let start = text.baseAddress else { return }
      var word = WordBuffer(limit: limit, tracking: false, memory: base)
      var sink = Sink(text: start, tally: tally)
      classes.withUnsafeBufferPointer { classes in
        guard let classes = classes.baseAddress, let bytes = text.baseAddress else { return }
        normalizer.split(bytes, from: 0, to: text.count, classes: classes, word: &word, into: &sink)
      }
    }
  }

  private struct Sink: WordSink {
    let text: UnsafePointer<UInt8>
    let tally: Tally

    static var wantsOffsets: Bool { false }
    func word(_ word: borrowing WordBuffer) {
      // Longer words are [UNK], whatever the vocabulary.
      if word.isTooLong {
        tally.longWords += 1
        return
      }
      let normalized = UnsafeBufferPointer(start: word.bytes, count: word.count)
      let spelling = UnsafeBufferPointer(start: text + word.start, count: max(0, word.end - word.start))
      // How many of the first bytes are the same does not matter where there are not as many.
      let difference = memcmp(text + word.start, word.bytes, min(spelling.count, normalized.count))
      let isSpelledSo = difference == 0 && spelling.count == normalized.count
      tally.words.add(normalized, hash: word.prefixes[word.count], isSpelledSo: isSpelledSo)
      if !isSpelledSo { tally.otherSpellings.insert(spelling) }
    }
  }
}
