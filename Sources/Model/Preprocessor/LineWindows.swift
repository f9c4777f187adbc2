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

  /// Bytes that are tokenized at once to count them.
  private static let chunk = 1 << 16

  /// The windows of a line, and its tokens. Always at least one window.
  func cut(_ line: UnsafeBufferPointer<UInt8>) -> (windows: [Window], tokens: Int) {
    var windows = [Window(offset: 0, skip: 0)]
    // A token takes a byte or more.
    if line.count <= budget { return (windows, 0) }
    var cutter = WindowCutter(tokenizer: tokenizer, budget: budget, joinsLines: false)
    let tokens = cutter.add(line) { windows.append($0) }
    return (windows, tokens)
  }

  /// The tokens of a text.
  func count(_ text: UnsafeBufferPointer<UInt8>) -> Int {
    var ids = [Int32]()
    var (start, count) = (0, 0)
    while start < text.count {
      let end = Self.safeEnd(text, from: start, atLeast: Self.chunk)
      ids.removeAll(keepingCapacity: true)
      tokenizer.encode(UnsafeBufferPointer(rebasing: text[start..<end]), into: &ids)
      count += ids.count
      start = end
    }
    return count
  }

  /// The first place after so many bytes where a text can be cut without changing its tokens: an ASCII blank or the
  /// end.
  static func safeEnd(_ line: UnsafeBufferPointer<UInt8>, from start: Int, atLeast length: Int) -> Int {
    guard length < line.count - start else { return line.count }
    var end = start + length
    while end < line.count, line[end] != 0x20, line[end] != 0x09 { end += 1 }
    return end
  }

  /// At least so many of the text's first tokens, all of them where it has fewer.
  static func head(
    of text: UnsafeBufferPointer<UInt8>, atLeast count: Int, _ tokenizer: WordPieceTokenizer, wordStarts: Bool,
    into tokens: inout TokenizedText
  ) {
    var length = max(1 << 13, count * 16)
    while true {
      let end = safeEnd(text, from: 0, atLeast: length)
      tokens.encode(UnsafeBufferPointer(rebasing: text[..<end]), tokenizer, wordStarts: wordStarts)
      if end == text.count || tokens.ids.count >= count { return }
      length = end * 2
    }
  }
}
