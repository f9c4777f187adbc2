/// Finds where windows begin (see `LineWindows`), in single or joined lines, as the text arrives.
///
/// The fast tokenizer counts tokens until the window is nearly full, then word by word. Token offsets are computed only
/// for the last word, which does not fit.
struct SampleSplitter {
  typealias Window = LineWindows.Window

  private let windows: LineWindows
  private var tokenizer: WordPieceTokenizer { windows.tokenizer }
  private var budget: Int { windows.budget }
  /// Whether a line continues the window of the previous line, after one token for the [SEP] between them. Such a line
  /// begins a window if there is none, or if its first word does not fit.
  let joinsLines: Bool
  /// The number of tokens in the last window so far.
  private(set) var filled = 0
  private var ids: [Int32] = []

  init(_ windows: LineWindows, joinsLines: Bool) {
    self.windows = windows
    self.joinsLines = joinsLines
  }

  /// Adds a line and returns its number of tokens. Calls `begin` for each window that begins in it. If lines are not
  /// joined, the first window, which begins with the line, is not reported.
  mutating func add(_ line: UnsafeBufferPointer<UInt8>, begin: (Window) -> Void) -> Int {
    if !joinsLines { filled = 0 }
    var tokens = 0
    var start = 0
    /// Handles the position before the line's first token: adds a [SEP], or begins a window.
    func beginLine() {
      guard joinsLines, tokens == 0 else { return }
      if filled > 0 { filled += 1 } else { begin(Window(offset: start, skip: 0)) }
    }
    while start < line.count {
      let rest = UnsafeBufferPointer(rebasing: line[start...])
      let joint = joinsLines && tokens == 0 && filled > 0 ? 1 : 0
      let found = tokenizer.count(
        rest, specialTokensInText: windows.specialTokensInText, atMost: max(0, budget - filled - joint), scratch: &ids)
      if found.ids > 0 {
        beginLine()
        (tokens, filled) = (tokens + found.ids, filled + found.ids)
      }
      start += found.bytes
      var isFull = false
      while !isFull, start < line.count {
        let end = windows.safeEnd(line, from: start, atLeast: 1)
        let word = UnsafeBufferPointer(rebasing: line[start..<end])
        ids.removeAll(keepingCapacity: true)
        tokenizer.encode(word, specialTokensInText: windows.specialTokensInText, into: &ids)
        if !ids.isEmpty {
          beginLine()
          tokens += ids.count
          isFull = filled + ids.count > budget
          if isFull { cut(word, at: start, begin) } else { filled += ids.count }
        }
        start = end
      }
    }
    return tokens
  }

  /// Begins windows in a part of a line that does not fit into the last one. The part begins with a word, and usually
  /// is one.
  private mutating func cut(_ part: UnsafeBufferPointer<UInt8>, at start: Int, _ begin: (Window) -> Void) {
    let encoding = tokenizer.encodeWithOffsets(part, specialTokensInText: windows.specialTokensInText)
    let (ids, offsets) = (encoding.ids, encoding.offsets)
    let gap = tokenizer.hasSingleWordTokens ? 1 : 0
    func isWordStart(_ index: Int) -> Bool {
      index == 0
        || !tokenizer.vocabulary.isContinuation(Int(ids[index]))
          && offsets[index].lowerBound >= offsets[index - 1].upperBound + gap
    }
    var position = 0
    // With a [SEP] before the part, the room may be negative.
    var room = max(0, budget - filled)
    while ids.count - position > room {
      let limit = position + room
      var word = limit
      while word > position, !isWordStart(word) { word -= 1 }
      if word > position || filled > 0 {
        begin(Window(offset: start + offsets[word].lowerBound, skip: 0))
        position = word
      } else {
        // One word fills the window. It may begin in an earlier window.
        while word > 0, !isWordStart(word) { word -= 1 }
        begin(Window(offset: start + offsets[word].lowerBound, skip: limit - word))
        position = limit
      }
      filled = 0
      room = budget
    }
    filled = ids.count - position
  }
}
