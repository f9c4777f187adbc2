import Text

/// The result of reading some lines of a file: where samples begin, and statistics.
struct CorpusBlock {
  /// How lines become samples.
  struct Rules {
    let windows: LineWindows
    let layout: TextCorpus.Layout
    let truncate: Bool
    /// The lines to read; nil for all.
    let selection: LineSelection?
    /// The number of bytes of a block whose tokens are counted, extended to the next blank; .max for all.
    var countedBytes = Int.max
  }

  var entries: [TextCorpus.Entry] = []
  /// The line of each entry, counted from 1 at the first line of the block.
  var lines: [UInt32] = []
  /// The number of text lines in the corpus before the line of each entry. Filled only with a selection.
  var textLinesBefore: [UInt64] = []
  var lineCount = 0
  var statistics = TextCorpus.Statistics()
  /// The number of invalid UTF-8 sequences, and the offset of the first.
  var invalid = (count: 0, first: Int?.none)
  /// The numbers of counted tokens and of [UNK] among them, and the first part of the file that has one. Not counted
  /// with a selection.
  var tokens = (count: 0, unknown: 0, firstUnknown: Range<Int>?.none)
  /// The first line that is not a pair: its number, and its number of tabs.
  var badPair: (line: Int, tabs: Int)?
  /// The `BlockHash`es of the file's blocks that begin in these lines.
  var hashes: [UInt64] = []

  /// - Parameter textLines: the number of text lines in the corpus before this block; used only with a selection.
  mutating func read(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ rules: Rules, textLines: Int) {
    let found = UTF8Validation.count(UnsafeBufferPointer(rebasing: bytes[range]))
    invalid = (found.count, found.first.map { $0 + range.lowerBound })
    if rules.selection == nil {
      let counted = range.prefix(rules.countedBytes)
      countTokens(
        bytes, counted.lowerBound..<Self.safeEnd(bytes, from: counted.upperBound, to: range.upperBound), rules)
    }
    // Blocks are packed independently, because other threads read the preceding blocks.
    var cutter = SampleSplitter(rules.windows, joinsLines: true)
    var lines = TextLines(bytes, range)
    while let line = lines.next() {
      let text = UnsafeBufferPointer(rebasing: bytes[line])
      if TextLines.isBlank(text) {
        statistics.blankLines += 1
        continue
      }
      let textLine = textLines + statistics.textLines
      statistics.textLines += 1
      if let selection = rules.selection, !selection.contains(textLine) { continue }
      func begin(_ window: LineWindows.Window, continuesLine: Bool) {
        entries.append(
          TextCorpus.Entry(
            offset: line.lowerBound + window.offset, skip: window.skip, continuesLine: continuesLine))
        self.lines.append(UInt32(truncatingIfNeeded: lines.number))
        if rules.selection != nil { textLinesBefore.append(UInt64(textLine)) }
      }
      switch rules.layout {
      case .packed: _ = cutter.add(text) { begin($0, continuesLine: false) }
      case .pairs:
        begin(LineWindows.Window(offset: 0, skip: 0), continuesLine: false)
        addPair(text, line: lines.number, rules.windows)
      case .lines:
        begin(LineWindows.Window(offset: 0, skip: 0), continuesLine: false)
        if rules.windows.fits(text.count) { continue }
        if rules.truncate {
          addCut(tokens: rules.windows.count(text), of: rules.windows.budget)
        } else {
          let windows = rules.windows.cut(text).windows.dropFirst()
          if windows.isEmpty { continue }
          statistics.longLines += 1
          statistics.furtherSamples += windows.count
          for window in windows { begin(window, continuesLine: true) }
        }
      }
    }
    lineCount = lines.number
  }

  /// The number of bytes tokenized at once, extended to the next blank or line end.
  private static let partBytes = 1 << 16

  /// Returns the first offset at or after `start` where the text can be cut without changing its tokens.
  private static func safeEnd(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Int {
    var end = min(start, limit)
    while end < limit, bytes[end] != 0x20, bytes[end] != 0x0A, bytes[end] != 0x09 { end += 1 }
    return end
  }

  private mutating func countTokens(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ rules: Rules
  ) {
    let tokenizer = rules.windows.tokenizer
    var ids = [Int32]()
    var start = range.lowerBound
    while start < range.upperBound {
      let end = Self.safeEnd(bytes, from: start + Self.partBytes, to: range.upperBound)
      ids.removeAll(keepingCapacity: true)
      tokenizer.encode(UnsafeBufferPointer(rebasing: bytes[start..<end]), into: &ids)
      let unknown = UnknownTokens.count(ids, tokenizer)
      tokens.count += ids.count
      tokens.unknown += unknown
      if unknown > 0, tokens.firstUnknown == nil { tokens.firstUnknown = start..<end }
      start = end
    }
  }

  private mutating func addPair(_ text: UnsafeBufferPointer<UInt8>, line: Int, _ windows: LineWindows) {
    let tabs = text.count { $0 == 0x09 }
    guard tabs == 1 else {
      if badPair == nil { badPair = (line, tabs) }
      return
    }
    // The tab is not a token; the [SEP] between the segments takes one from the room.
    let room = windows.budget - 1
    if !windows.fits(text.count - 1, room) { addCut(tokens: windows.count(text), of: room) }
  }

  private mutating func addCut(tokens: Int, of room: Int) {
    guard tokens > room else { return }
    statistics.longLines += 1
    statistics.droppedTokens += tokens - room
  }
}
