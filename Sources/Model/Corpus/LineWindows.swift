/// Cuts a line that is too long for one sample into windows, without losing a token.
///
/// A window ends before the last word that does not fit whole, and the next one begins there: a word's tokens do not
/// depend on what stands before it, so that each window can be tokenized by itself from its own bytes. Only a single
/// word of more tokens than a window holds is cut inside: the windows after the first begin at the same word then,
/// and skip its first tokens.
struct LineWindows {
  struct Window: Equatable {
    /// The byte the window's first word begins at, from the start of the line.
    var offset: Int
    /// Tokens of that word that belong to earlier windows.
    var skip: Int
  }

  let tokenizer: WordPieceTokenizer
  /// Tokens of text in one window.
  let budget: Int
  var specialTokensInText = WordPieceTokenizer.SpecialTokensInText.none

  /// Bytes that are tokenized at once to count them.
  private static let chunk = 1 << 16

  /// The windows of a line, and its tokens. Always at least one window.
  func cut(_ line: UnsafeBufferPointer<UInt8>) -> (windows: [Window], tokens: Int) {
    var windows = [Window(offset: 0, skip: 0)]
    if fits(line.count) { return (windows, 0) }
    var cutter = SampleSplitter(self, joinsLines: false)
    let tokens = cutter.add(line) { windows.append($0) }
    return (windows, tokens)
  }

  /// Whether so many bytes are surely no more tokens than there is room for: a token takes a byte or more, unless the
  /// tokenizer makes text longer.
  func fits(_ bytes: Int, _ room: Int? = nil) -> Bool { bytes <= room ?? budget && !tokenizer.lengthensText }

  /// The tokens of a text.
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

  /// The first place after so many bytes where a text can be cut without changing its tokens.
  func safeEnd(_ line: UnsafeBufferPointer<UInt8>, from start: Int, atLeast length: Int) -> Int {
    tokenizer.safeEnd(of: line, from: start, atLeast: length, specialTokensInText: specialTokensInText)
  }

  /// At least so many of the text's first tokens, all of them where it has fewer.
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
