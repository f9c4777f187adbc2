import Glibc
import Tensor
import Text

/// Counts the words of texts, split and normalized as by the tokenizer. Several threads read blocks of lines, whose
/// memory is released after reading. Memory grows with the number of different words, not with the text.
struct WordCounter {
  private let normalizer: TextNormalizer
  private let classes: [UInt8]
  private let maximumWordLength: Int
  private let pool: WorkerPool
  /// One tally per thread.
  private let tallies: [Tally]
  /// The size of a block in bytes. A block extends to the end of its last line.
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

  /// The counts of one thread.
  private final class Tally {
    let words = WordTable()
    /// The spellings of words in the text that differ from their normalized form.
    var otherSpellings = SpellingSet()
    var longWords: UInt64 = 0
  }

  /// The result of counting.
  struct Counts {
    /// The words in byte order.
    let words: WordTable
    /// The number of different words in the text before normalization, which makes some of them equal.
    let spellings: Int
    /// The number of occurrences of words too long to have pieces.
    let longWords: Int
  }

  /// Counts the words of a text. Calls `release` with each part of it that is no longer needed.
  ///
  /// - Throws: `CancellationError` if the task is canceled between parts.
  func add(_ text: UnsafeBufferPointer<UInt8>, release: (Range<Int>) -> Void = { _ in }) throws {
    var start = 0
    while start < text.count {
      try Task.checkCancellation()
      // A few blocks per thread at a time.
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

  /// Merges the tallies of all threads and returns the counts.
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
      // Longer words are [UNK] with any vocabulary.
      if word.isTooLong {
        tally.longWords += 1
        return
      }
      let normalized = UnsafeBufferPointer(start: word.bytes, count: word.count)
      let spelling = UnsafeBufferPointer(start: text + word.start, count: max(0, word.end - word.start))
      // The comparison of the first bytes does not matter if the lengths differ.
      let difference = memcmp(text + word.start, word.bytes, min(spelling.count, normalized.count))
      let isSpelledSo = difference == 0 && spelling.count == normalized.count
      tally.words.add(normalized, hash: word.prefixes[word.count], isSpelledSo: isSpelledSo)
      if !isSpelledSo { tally.otherSpellings.insert(spelling) }
    }
  }
}
