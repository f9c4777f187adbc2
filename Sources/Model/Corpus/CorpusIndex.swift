import Files
import Tensor
import Text

/// Reads the lines of files once, to find where each sample begins. Several threads read blocks of lines. The results
/// are joined in text order, and the pages that were read are released.
struct CorpusIndex {
  let rules: CorpusBlock.Rules
  /// The number of samples per entry of `lineMarks`.
  let markStride: Int
  /// The maximum number of threads.
  let threads: Int
  /// The size of a block in bytes. A block extends to the end of its last line.
  var blockBytes = 1 << 20

  /// The bits of each sample's `TextCorpus.Entry`.
  let entries: SpillableArray
  let lineMarks: SpillableArray
  /// The number of text lines in the corpus before the line in which each sample begins. Filled only with a selection.
  let textLinesBefore: SpillableArray
  var firstSamples: [Int] = []
  /// The `BlockHash` of each file. Empty with a selection.
  var contentHashes: [UInt64] = []
  /// The number of text lines before each block.
  var linesBeforeBlock: [Int] = []
  var statistics = TextCorpus.Statistics()
  /// The token counts, without a selection: all tokens of the first blocks and of part of each later block. Also the
  /// parts in which to look for the causes of [UNK].
  private(set) var unknown: UnknownTokens
  private var partsWithUnknown: [(file: TextFile, part: Range<Int>)] = []
  private static let examinedParts = 16
  /// The number of blocks per file whose tokens are all counted. Of each later block, `countedBytes` are counted.
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
      // A few blocks per thread at a time: their results are kept until they are joined.
      var ranges: [Range<Int>] = []
      while start < bytes.count, ranges.count < 4 * pool.threads {
        let end = min(TextLines.lineEnd(bytes, from: min(start + blockBytes, bytes.count)) + 1, bytes.count)
        ranges.append(start..<end)
        start = end
      }
      for (range, block) in zip(ranges, read(ranges, of: file, pool)) {
        try validate(block, from: range.lowerBound, of: file, after: lines, strict: strict)
        lines = try append(block, after: lines)
        hashes += block.hashes
        unknown.add(tokens: block.tokens.count, unknown: block.tokens.unknown)
        if let part = block.tokens.firstUnknown, partsWithUnknown.count < Self.examinedParts {
          partsWithUnknown.append((file, part))
        }
      }
      // Includes the previous ranges again, because touching a page also loads its neighbors.
      file.mapping.release(released..<start)
      released = ranges[0].lowerBound
    }
    statistics.lines += lines
    if rules.selection == nil { contentHashes.append(BlockHash.whole(hashes, bytes: bytes.count)) }
  }

  /// Determines why tokens are [UNK] if their share exceeds the limit.
  mutating func examineUnknown() throws {
    guard unknown.share > UnknownTokens.limit else { return }
    for (file, part) in partsWithUnknown {
      try file.withPart(part) { unknown.examine($0, rules.windows.tokenizer) }
    }
  }

  /// Reads the blocks with all threads, and returns them in the order of the ranges.
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

  /// Adds the contents of a block that begins after `lines` lines of its file. Returns the number of lines up to its
  /// end.
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

  /// Counts invalid UTF-8. Throws if the block holds text that is not accepted.
  private mutating func validate(
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
