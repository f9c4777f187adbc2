/// Finds where windows begin (see `LineWindows`), in one line or in many that are joined, as the text comes.
///
/// The quick tokenizer counts up to some bytes before the window is full, then word by word; where each token stands is
/// asked for in the last word alone, the one that has no room.
struct SampleSplitter {
  typealias Window = LineWindows.Window

  private let windows: LineWindows
  private var tokenizer: WordPieceTokenizer { windows.tokenizer }
  private var budget: Int { windows.budget }
  /// Whether a line goes on in the window of the one before it, after one token for the [SEP] between them. Such a line
  /// begins a window where there is none, or where its first word has no room.
  let joinsLines: Bool
  /// Tokens in the last window so far.
  private(set) var filled = 0
  private var ids: [Int32] = []

  init(_ windows: LineWindows, joinsLines: Bool) {
    self.windows = windows
    self.joinsLines = joinsLines
  }

  /// Adds a line; returns its tokens. `begin` is called for each window that begins in it: where lines are not joined,
  /// for all but the first, which begins with the line.
  mutating func add(_ line: UnsafeBufferPointer<UInt8>, begin: (Window) -> Void) -> Int {
    if !joinsLines { filled = 0 }
    var tokens = 0
    var start = 0
    /// Before the line's first token: a [SEP], or a window that begins with it.
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

  /// Begins windows in a part of a line that does not fit into the last one; the part begins with a word, and mostly is one.
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
    // With a [SEP] before the part there may be less than no room.
    var room = max(0, budget - filled)
    while ids.count - position > room {
      let limit = position + room
      var word = limit
      while word > position, !isWordStart(word) { word -= 1 }
      if word > position || filled > 0 {
        begin(Window(offset: start + offsets[word].lowerBound, skip: 0))
        position = word
      } else {
        // One word fills the window. It may have begun before the window did.
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
