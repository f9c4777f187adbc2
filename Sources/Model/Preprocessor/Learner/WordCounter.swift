/// Counts the words of texts, split and normalized as the tokenizer does it. Blocks of lines are read by several threads and let go
/// behind; memory grows with the different words, not with the text.
struct WordCounter {
  private let normalizer: TextNormalizer
  private let classes: [UInt8]
  private let maximumWordLength: Int
  private let pool: WorkerPool
  /// One for each thread.
  private let tables: [WordTable]
  /// Bytes of a block; it goes on to the end of its last line.
  private static let blockBytes = 1 << 20

  init(_ options: WordPieceTokenizer.Options, threads: Int) {
    normalizer = TextNormalizer(
      cleansText: options.cleansText, splitsCJK: options.splitsCJK, stripsAccents: options.stripsAccents,
      lowercases: options.lowercase)
    classes = normalizer.byteClasses()
    maximumWordLength = options.maximumWordLength
    pool = threads > 1 ? WorkerPool(threads: min(threads, Compute.maximumThreads)) : .serial
    tables = (0..<pool.threads).map { _ in WordTable() }
  }

  /// Counts the words of a text; `release` is told of each part of it that is done with.
  func add(_ text: UnsafeBufferPointer<UInt8>, release: (Range<Int>) -> Void = { _ in }) {
    var start = 0
    while start < text.count {
      // A few blocks for each thread at a time.
      let first = start
      var blocks: [Range<Int>] = []
      while start < text.count, blocks.count < 8 * pool.threads {
        let end = min(TextLines.lineEnd(text, from: min(start + Self.blockBytes, text.count)) + 1, text.count)
        blocks.append(start..<end)
        start = end
      }
      pool.forEach(blocks.count) { worker, index in
        count(UnsafeBufferPointer(rebasing: text[blocks[index]]), into: tables[worker])
      }
      release(first..<start)
    }
  }

  /// All words, in the order of their bytes. The threads' tables are put together for that: nothing can be added any more.
  consuming func finish() -> WordTable {
    for table in tables.dropFirst() { tables[0].add(table) }
    tables[0].sort()
    return tables[0]
  }

  private func count(_ text: UnsafeBufferPointer<UInt8>, into table: WordTable) {
    let limit = maximumWordLength
    withUnsafeTemporaryAllocation(
      byteCount: WordBuffer.byteCount(limit: limit, tracking: false), alignment: 16
    ) { memory in
      guard let base = memory.baseAddress else { return }
      var word = WordBuffer(limit: limit, tracking: false, memory: base)
      var sink = Sink(table: table)
      classes.withUnsafeBufferPointer { classes in
        guard let classes = classes.baseAddress, let bytes = text.baseAddress else { return }
        normalizer.split(bytes, from: 0, to: text.count, classes: classes, word: &word, into: &sink)
      }
    }
  }

  private struct Sink: WordSink {
    let table: WordTable

    static var wantsOffsets: Bool { false }
    func word(_ word: borrowing WordBuffer) {
      // Longer words are [UNK], whatever the vocabulary.
      if word.isTooLong { return }
      table.add(
        UnsafeBufferPointer(start: word.bytes, count: word.count), hash: word.prefixes[word.count])
    }
  }
}
