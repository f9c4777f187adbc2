import Files
import Tensor
import Text

/// Reads the lines of files once, to know where each sample begins. Blocks of lines are read by several threads, and put
/// together in the order of the text; what was read is let go.
struct CorpusIndex {
  let rules: CorpusBlock.Rules
  /// The line is kept of every so many samples.
  let markStride: Int
  /// The most threads.
  let threads: Int
  /// Bytes of a block; it goes on to the end of its last line.
  var blockBytes = 1 << 20

  /// `TextCorpus.Entry`, as its bits.
  let entries: SpillableArray
  let lineMarks: SpillableArray
  /// The text lines of the corpus before the line that each sample begins in. Only with a selection.
  let textLinesBefore: SpillableArray
  var firstSamples: [Int] = []
  /// The `BlockHash` of each file. Not with a selection.
  var contentHashes: [UInt64] = []
  /// The text lines before each block.
  var linesBeforeBlock: [Int] = []
  var statistics = TextCorpus.Statistics()
  /// Without a selection: the tokens of the first blocks and of a part of each further one, and where the causes of [UNK] can be looked
  /// for.
  private(set) var unknown: UnknownTokens
  private var partsWithUnknown: [(file: TextFile, part: Range<Int>)] = []
  private static let examinedParts = 16
  /// Blocks of a file whose tokens are all counted; of the others this many bytes.
  private static let countedBlocks = 8
  private static let countedBytes = 1 << 16

  init(rules: CorpusBlock.Rules, markStride: Int, threads: Int, temporaryDirectory: String) {
    self.rules = rules
    self.markStride = markStride
    self.threads = threads
    unknown = UnknownTokens(rules.windows.tokenizer)
    entries = SpillableArray(temporaryDirectory: temporaryDirectory)
    lineMarks = SpillableArray(temporaryDirectory: temporaryDirectory)
    textLinesBefore = SpillableArray(temporaryDirectory: temporaryDirectory)
  }

  mutating func add(_ file: TextFile, strict: Bool) throws {
    let bytes = file.bytes
    guard bytes.count < TextCorpus.Entry.offsetLimit else { throw PreprocessorError.fileTooLarge(file: file.name) }
    firstSamples.append(entries.count)
    statistics.files += 1
    statistics.bytes += bytes.count

    let blocks = bytes.count / blockBytes + 1
    if blocks > Self.countedBlocks { unknown.isSample = true }
    let pool = blocks > 1 && threads > 1 ? WorkerPool(threads: min(threads, blocks, Compute.maximumThreads)) : .serial
    var start = 0
    var lines = 0
    var released = 0
    var hashes: [UInt64] = []
    while start < bytes.count {
      try Task.checkCancellation()
      // A few blocks for each thread at a time: what they find waits to be put together.
      var ranges: [Range<Int>] = []
      while start < bytes.count, ranges.count < 4 * pool.threads {
        let end = min(TextLines.lineEnd(bytes, from: min(start + blockBytes, bytes.count)) + 1, bytes.count)
        ranges.append(start..<end)
        start = end
      }
      for (range, block) in zip(ranges, read(ranges, of: file, pool)) {
        try judge(block, from: range.lowerBound, of: file, after: lines, strict: strict)
        lines = try append(block, after: lines)
        hashes += block.hashes
        unknown.add(tokens: block.tokens.count, unknown: block.tokens.unknown)
        if let part = block.tokens.firstUnknown, partsWithUnknown.count < Self.examinedParts {
          partsWithUnknown.append((file, part))
        }
      }
      // Once more what came before: pages around one that is touched come with it.
      file.mapping.release(released..<start)
      released = ranges[0].lowerBound
    }
    statistics.lines += lines
    if rules.selection == nil { contentHashes.append(BlockHash.whole(hashes, bytes: bytes.count)) }
  }

  /// Finds out why tokens are [UNK], where so many are that a person should know.
  mutating func examineUnknown() throws {
    guard unknown.share > UnknownTokens.limit else { return }
    for (file, part) in partsWithUnknown {
      try file.withPart(part) { unknown.examine($0, rules.windows.tokenizer) }
    }
  }

  /// The blocks, read by all threads; in the order of the ranges.
  private func read(_ ranges: [Range<Int>], of file: TextFile, _ pool: WorkerPool) -> [CorpusBlock] {
    let first = linesBeforeBlock.count
    let bytes = file.bytes
    var blocks = [CorpusBlock](repeating: CorpusBlock(), count: ranges.count)
    blocks.withUnsafeMutableBufferPointer { blocks in
      nonisolated(unsafe) let blocks = blocks
      pool.forEach(ranges.count) { _, index in
        var block = CorpusBlock()
        let textLines = rules.selection?.linesBefore[first + index] ?? 0
        var rules = rules
        if ranges[index].lowerBound >= Self.countedBlocks * blockBytes { rules.countedBytes = Self.countedBytes }
        block.read(bytes, ranges[index], rules, textLines: textLines)
        if rules.selection == nil {
          block.hashes = BlockHash.blocks(beginningIn: ranges[index]).map { BlockHash.hash(block: $0, of: bytes) }
        }
        blocks[index] = block
      }
    }
    return blocks
  }

  /// Adds what a block holds that begins after so many lines of its file; returns the lines up to its end.
  private mutating func append(_ block: CorpusBlock, after lines: Int) throws(FileError) -> Int {
    for (entry, line) in zip(block.entries, block.lines) {
      if entries.count % markStride == 0 { try lineMarks.append(UInt64(lines + Int(line))) }
      try entries.append(entry.bits)
    }
    for line in block.textLinesBefore { try textLinesBefore.append(line) }
    linesBeforeBlock.append(statistics.textLines)
    statistics.add(block.statistics)
    return lines + block.lineCount
  }

  /// Throws where a block holds what is refused, and counts what is not UTF-8.
  private mutating func judge(
    _ block: CorpusBlock, from start: Int, of file: TextFile, after lines: Int, strict: Bool
  ) throws(PreprocessorError) {
    if let first = block.invalid.first {
      let bytes = file.bytes
      var line = lines + 1
      var lineStart = start == 0 ? TextLines.markLength(bytes) : start
      for (offset, byte) in zip(start..<first, bytes[start..<first]) where byte == 0x0A {
        line += 1
        lineStart = offset + 1
      }
      let location = DataLocation(file: file.name, line: line)
      if strict { throw .invalidUTF8(location, byteInLine: first - lineStart + 1, offset: first) }
      statistics.invalidSequences += block.invalid.count
      if statistics.firstInvalid == nil { statistics.firstInvalid = location }
    }
    if let (line, tabs) = block.badPair {
      throw .notAPair(DataLocation(file: file.name, line: lines + line), tabs: tabs)
    }
  }
}
