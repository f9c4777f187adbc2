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

  /// Bytes that are tokenized at once, so that a file of one line takes no more memory than another.
  var chunk: Int = 1 << 16

  /// The windows of a line, and its tokens. Always at least one window.
  func cut(_ line: UnsafeBufferPointer<UInt8>) -> (windows: [Window], tokens: Int) {
    var windows = [Window(offset: 0, skip: 0)]
    // A token takes a byte or more.
    if line.count <= budget { return (windows, 0) }
    if line.count <= chunk {
      var ids = [Int32]()
      tokenizer.encode(line, into: &ids)
      if ids.count <= budget { return (windows, ids.count) }
    }
    var tokens = 0
    var length = chunk
    var current = windows[0]
    while true {
      let end = Self.safeEnd(line, from: current.offset, atLeast: length)
      let part = UnsafeBufferPointer(rebasing: line[current.offset..<end])
      let encoding = tokenizer.encodeWithOffsets(part)
      let ids = encoding.ids
      let offsets = encoding.offsets
      var position = min(current.skip, ids.count)
      let base = current.offset
      let before = windows.count
      while ids.count - position > budget {
        let limit = position + budget
        var start = limit
        while start > position, !isWordStart(start, ids, offsets) { start -= 1 }
        if start > position {
          current = Window(offset: base + offsets[start].lowerBound, skip: 0)
          tokens += start - position
          position = start
        } else {
          // One word fills the window. It may have begun before the window did.
          while start > 0, !isWordStart(start, ids, offsets) { start -= 1 }
          current = Window(offset: base + offsets[start].lowerBound, skip: limit - start)
          tokens += budget
          position = limit
        }
        windows.append(current)
      }
      if end == line.count { return (windows, tokens + ids.count - position) }
      // What is left begins the next chunk.
      length = windows.count == before ? length * 2 : chunk
    }
  }

  private func isWordStart(_ index: Int, _ ids: [Int32], _ offsets: [Range<Int>]) -> Bool {
    index == 0
      || !tokenizer.vocabulary.isContinuation(Int(ids[index]))
        && offsets[index].lowerBound >= offsets[index - 1].upperBound
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
