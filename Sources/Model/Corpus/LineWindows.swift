/// Splits a line that is too long for one sample into windows, without losing a token.
///
/// A window ends before the last word that does not fit whole, and the next window begins there. A word's tokens do not
/// depend on the preceding text, so each window can be tokenized by itself from its own bytes. Only a single word with
/// more tokens than a window holds is cut inside. In that case, the later windows begin at the same word and skip its
/// first tokens.
struct LineWindows {
  struct Window: Equatable {
    /// The offset of the window's first word, in bytes from the start of the line.
    var offset: Int
    /// The number of the word's tokens that belong to earlier windows.
    var skip: Int
  }

  let tokenizer: WordPieceTokenizer
  /// The number of text tokens in one window.
  let budget: Int
  var specialTokensInText = WordPieceTokenizer.SpecialTokensInText.none

  /// The number of bytes tokenized at once for counting.
  private static let chunk = 1 << 16

  /// Returns the windows of a line, at least one, and its number of tokens.
  func cut(_ line: UnsafeBufferPointer<UInt8>) -> (windows: [Window], tokens: Int) {
    var windows = [Window(offset: 0, skip: 0)]
    if fits(line.count) { return (windows, 0) }
    var cutter = SampleSplitter(self, joinsLines: false)
    let tokens = cutter.add(line) { windows.append($0) }
    return (windows, tokens)
  }

  /// Returns whether a text of this size is certain to fit: a token takes at least one byte, unless the tokenizer
  /// lengthens the text.
  func fits(_ bytes: Int, _ room: Int? = nil) -> Bool { bytes <= room ?? budget && !tokenizer.lengthensText }

  /// The number of tokens in a text.
  func count(_ text: UnsafeBufferPointer<UInt8>) -> Int {
    var ids = [Int32]()
    var (start, count) = (0, 0)
    while start < text.count {
      let end = safeEnd(text, from: start, atLeast: Self.chunk)
      ids.removeAll(keepingCapacity: true)
      tokenizer.encode(
        UnsafeBufferPointer(rebasing: text[start..<end]), specialTokensInText: specialTokensInText, into: &ids)
      count += ids.count
      start = end
    }
    return count
  }

  /// Returns the first offset at least `length` bytes after `start` where a text can be cut without changing its
  /// tokens.
  func safeEnd(_ line: UnsafeBufferPointer<UInt8>, from start: Int, atLeast length: Int) -> Int {
    tokenizer.safeEnd(of: line, from: start, atLeast: length, specialTokensInText: specialTokensInText)
  }

  /// Encodes at least the first `count` tokens of the text, or all if it has fewer.
  func head(
    of text: UnsafeBufferPointer<UInt8>, atLeast count: Int, wordStarts: Bool, into tokens: inout TokenizedText
  ) {
    var length = max(1 << 13, count * 16)
    while true {
      let end = safeEnd(text, from: 0, atLeast: length)
      tokens.encode(
        UnsafeBufferPointer(rebasing: text[..<end]), tokenizer, wordStarts: wordStarts,
        specialTokensInText: specialTokensInText)
      if end == text.count || tokens.ids.count >= count { return }
      length = end * 2
    }
  }
}
