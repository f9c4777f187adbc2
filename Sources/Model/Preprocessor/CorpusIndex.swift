/// Reads the lines of files once, to know where each sample begins. Blocks of lines are read by several threads, and put
/// together in the order of the text.
struct CorpusIndex {
  let windows: LineWindows
  let truncate: Bool
  /// The line is kept of every so many samples.
  let markStride: Int
  /// The most threads.
  let threads: Int
  /// Bytes of a block; it goes on to the end of its last line.
  var blockBytes = 1 << 20

  var entries: [TextCorpus.Entry] = []
  var firstSamples: [Int] = []
  var lineMarks: [Int] = []
  var statistics = TextCorpus.Statistics()

  init(windows: LineWindows, truncate: Bool, markStride: Int, threads: Int) {
    self.windows = windows
    self.truncate = truncate
    self.markStride = markStride
    self.threads = threads
  }

  mutating func add(_ file: TextFile, strict: Bool) throws(PreprocessorError) {
    let bytes = file.bytes
    guard bytes.count < TextCorpus.Entry.offsetLimit else { throw .fileTooLarge(file: file.name) }
    firstSamples.append(entries.count)
    statistics.files += 1
    statistics.bytes += bytes.count
    try checkUTF8(file, strict: strict)

    let blocks = bytes.count / blockBytes + 1
    let pool = blocks > 1 && threads > 1 ? WorkerPool(threads: min(threads, blocks, Compute.maximumThreads)) : .serial
    var start = 0
    var lines = 0
    while start < bytes.count {
      // A few blocks for each thread at a time: what they find waits to be put together.
      var ranges: [Range<Int>] = []
      while start < bytes.count, ranges.count < 4 * pool.threads {
        let end = min(TextLines.lineEnd(bytes, from: min(start + blockBytes, bytes.count)) + 1, bytes.count)
        ranges.append(start..<end)
        start = end
      }
      for block in read(ranges, of: bytes, pool) { lines = append(block, after: lines) }
    }
    statistics.lines += lines
  }

  /// The blocks, read by all threads; in the order of the ranges.
  private func read(_ ranges: [Range<Int>], of bytes: UnsafeBufferPointer<UInt8>, _ pool: WorkerPool) -> [Block] {
    var blocks = [Block](repeating: Block(), count: ranges.count)
    blocks.withUnsafeMutableBufferPointer { blocks in
      nonisolated(unsafe) let blocks = blocks
      pool.forEach(ranges.count) { _, index in
        var block = Block()
        block.read(bytes, ranges[index], windows, truncate: truncate)
        blocks[index] = block
      }
    }
    return blocks
  }

  /// Adds what a block holds that begins after so many lines of its file; returns the lines up to its end.
  private mutating func append(_ block: Block, after lines: Int) -> Int {
    for (entry, line) in zip(block.entries, block.lines) {
      if entries.count % markStride == 0 { lineMarks.append(lines + Int(line)) }
      entries.append(entry)
    }
    statistics.blankLines += block.blankLines
    statistics.longLines += block.longLines
    statistics.furtherSamples += block.furtherSamples
    statistics.droppedTokens += block.droppedTokens
    return lines + block.lineCount
  }

  private mutating func checkUTF8(_ file: TextFile, strict: Bool) throws(PreprocessorError) {
    let bytes = file.bytes
    let (count, first) = UTF8Validation.count(bytes)
    guard let first else { return }
    var line = 1
    var lineStart = TextLines.markLength(bytes)
    for (offset, byte) in bytes[..<first].enumerated() where byte == 0x0A {
      line += 1
      lineStart = offset + 1
    }
    let location = DataLocation(file: file.name, line: line)
    if strict { throw .invalidUTF8(location, byteInLine: first - lineStart + 1, offset: first) }
    statistics.invalidSequences += count
    if statistics.firstInvalid == nil { statistics.firstInvalid = location }
  }

  /// What some lines of a file hold.
  private struct Block {
    var entries: [TextCorpus.Entry] = []
    /// The line of each entry, counted from 1 at the block's first.
    var lines: [UInt32] = []
    var lineCount = 0
    var blankLines = 0
    var longLines = 0
    var furtherSamples = 0
    var droppedTokens = 0

    mutating func read(
      _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ windows: LineWindows, truncate: Bool
    ) {
      var lines = TextLines(bytes, range)
      while let line = lines.next() {
        let text = UnsafeBufferPointer(rebasing: bytes[line])
        if TextLines.isBlank(text) {
          blankLines += 1
          continue
        }
        append(offset: line.lowerBound, skip: 0, continuesLine: false, line: lines.number)
        if text.count <= windows.budget { continue }
        let (cut, tokens) = windows.cut(text)
        if cut.count == 1 { continue }
        longLines += 1
        if truncate {
          droppedTokens += tokens - windows.budget
          continue
        }
        furtherSamples += cut.count - 1
        for window in cut.dropFirst() {
          append(offset: line.lowerBound + window.offset, skip: window.skip, continuesLine: true, line: lines.number)
        }
      }
      lineCount = lines.number
    }

    private mutating func append(offset: Int, skip: Int, continuesLine: Bool, line: Int) {
      entries.append(TextCorpus.Entry(offset: offset, skip: skip, continuesLine: continuesLine))
      lines.append(UInt32(truncatingIfNeeded: line))
    }
  }
}
