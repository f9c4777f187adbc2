import Files
import Glibc
import Text

/// Lookup of samples by index.
extension TextCorpus {
  public func sample(_ index: Int, epoch: Int) throws -> Sample {
    guard index >= 0, index < count else { throw PreprocessorError.noSuchSample(index: index, count: count) }
    let (entry, part) = try entryAndPart(of: index)
    let file = files[file(of: index)]
    if layout == .pairs { return try pair(part, of: file, epoch: epoch, index: index) }

    let budget = sequenceLength - 2
    let needed = entry.skip + budget
    var content = TokenizedText()
    try read(part, of: file, length: max(1 << 13, needed * 16)) { text, isAll in
      layout == .packed
        ? try append(text, isAll: isAll, needed, firstLine: textLine(of: index), to: &content)
        : append(text, isAll: isAll, needed, to: &content)
    }
    let special = tokenizer.specialTokens
    var packed: [Int32] = [special.classification]
    packed.reserveCapacity(min(content.ids.count, budget) + 2)
    packed.append(contentsOf: content.ids.dropFirst(entry.skip).prefix(budget))
    packed.append(special.separator)
    guard masking.wholeWords else { return masker(packed, epoch: epoch, index: index) }
    let wordStarts = [true] + content.wordStarts.dropFirst(entry.skip).prefix(budget) + [true]
    return masker(packed, wordStarts: wordStarts, epoch: epoch, index: index)
  }

  // MARK: Text

  /// Calls `body` with the beginning of a part of a file, up to a blank or a line end, and again with a longer
  /// beginning until it returns true. `isAll` tells whether the text is the whole part.
  private func read(
    _ part: Range<Int>, of file: TextFile, length: Int,
    _ body: (_ text: UnsafeBufferPointer<UInt8>, _ isAll: Bool) throws -> Bool
  ) throws {
    var length = length
    while true {
      let isAll = length >= part.count
      let isDone = try file.withPart(part.lowerBound..<part.lowerBound + min(length, part.count)) { bytes in
        try body(bytes, isAll)
      }
      if isDone || isAll { return }
      length *= 2
    }
  }

  /// Returns the bytes up to and including the last blank. A text can be cut after a blank without changing its tokens.
  private func untilBlank(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    var end = bytes.count
    while end > 0, bytes[end - 1] != 0x20, bytes[end - 1] != 0x09, bytes[end - 1] != 0x0A { end -= 1 }
    return UnsafeBufferPointer(rebasing: bytes[..<end])
  }

  /// Returns the rest of the line in which the bytes begin, or nil if they do not contain its end.
  private func line(_ bytes: UnsafeBufferPointer<UInt8>, isAll: Bool) -> UnsafeBufferPointer<UInt8>? {
    let end = TextLines.lineEnd(bytes, from: 0)
    guard end < bytes.count || isAll else { return nil }
    return UnsafeBufferPointer(rebasing: bytes[..<TextLines.withoutReturn(bytes, 0..<end)])
  }

  private var windows: LineWindows {
    LineWindows(tokenizer: tokenizer, budget: sequenceLength - 2, specialTokensInText: specialTokensInText)
  }

  /// Appends tokens of the line in which the bytes begin. Returns true if there are enough tokens or the line is
  /// complete.
  private func append(
    _ bytes: UnsafeBufferPointer<UInt8>, isAll: Bool, _ needed: Int, to content: inout TokenizedText
  ) -> Bool {
    let line = line(bytes, isAll: isAll)
    windows.head(
      of: line ?? untilBlank(bytes), atLeast: needed, wordStarts: masking.wholeWords, into: &content)
    return line != nil || content.ids.count >= needed
  }

  /// Appends tokens of all lines, with a [SEP] between each two. Returns true if there are enough.
  ///
  /// - Parameter firstLine: the index, among the text lines of the corpus, of the line in which the bytes begin. Lines
  ///   outside the selection are skipped.
  private func append(
    _ bytes: UnsafeBufferPointer<UInt8>, isAll: Bool, _ needed: Int, firstLine: Int, to content: inout TokenizedText
  ) throws -> Bool {
    content = TokenizedText()
    var part = TokenizedText()
    let text = isAll ? bytes : untilBlank(bytes)
    var textLine = firstLine
    // Not `TextLines(text)`: the bytes are not the beginning of a file, and have no byte-order mark.
    var start = 0
    while start < text.count, content.ids.count < needed {
      let end = TextLines.lineEnd(text, from: start)
      let line = UnsafeBufferPointer(rebasing: text[start..<TextLines.withoutReturn(text, start..<end)])
      start = end + 1
      if TextLines.isBlank(line) { continue }
      defer { textLine += 1 }
      if let selection, !selection.contains(textLine) { continue }
      windows.head(
        of: line, atLeast: needed - content.ids.count, wordStarts: masking.wholeWords, into: &part)
      if part.ids.isEmpty { continue }
      content.append(part, after: tokenizer.specialTokens.separator)
    }
    return content.ids.count >= needed
  }

  private func pair(_ part: Range<Int>, of file: TextFile, epoch: Int, index: Int) throws -> Sample {
    let room = packer.room(segments: 2)
    var sample: Sample?
    try read(part, of: file, length: max(1 << 13, room * 16)) { bytes, isAll in
      guard let line = line(bytes, isAll: isAll) else { return false }
      let tab = line.firstIndex(of: 0x09) ?? line.count
      var segments = [TokenizedText(), TokenizedText()]
      for (segment, range) in [0..<tab, min(tab + 1, line.count)..<line.count].enumerated() {
        // Tokens beyond the room for both segments do not affect the result.
        windows.head(
          of: UnsafeBufferPointer(rebasing: line[range]), atLeast: room, wordStarts: masking.wholeWords,
          into: &segments[segment])
      }
      let packed = try packer.pack(segments.map(\.ids))
      var wordStarts: [Bool]?
      if masking.wholeWords {
        let kept = try packer.kept(of: segments.map(\.ids.count))
        wordStarts = [true] + zip(segments, kept).flatMap { $0.wordStarts.prefix($1) + [true] }
      }
      sample = masker(packed, wordStarts: wordStarts, epoch: epoch, index: index)
      return true
    }
    return sample ?? masker([], epoch: epoch, index: index)
  }

  // MARK: The index

  func entry(_ index: Int) throws(FileError) -> Entry { Entry(bits: try entries.value(at: index)) }

  /// Returns where a sample begins, and the part of the file that contains its text. The part ends at the next sample
  /// that does not begin inside a word of this one.
  private func entryAndPart(of index: Int) throws -> (Entry, part: Range<Int>) {
    let file = file(of: index)
    var next = index
    var first: Entry?
    var end: Int?
    while end == nil, next < firstSamples[file + 1] {
      let most = min(first == nil ? 2 : 64, firstSamples[file + 1] - next)
      try entries.values(from: next, most: most) { values in
        next += values.count
        for bits in values {
          let entry = Entry(bits: bits)
          if first == nil { first = entry } else if entry.skip == 0, end == nil { end = entry.offset }
        }
      }
    }
    guard let first else { throw PreprocessorError.noSuchSample(index: index, count: count) }
    return (first, first.offset..<(end ?? files[file].bytes.count))
  }

  private func textLine(of index: Int) throws -> Int {
    selection == nil ? 0 : Int(truncatingIfNeeded: try textLinesBefore.value(at: index))
  }

  func file(of index: Int) -> Int {
    if files.count == 1 { return 0 }
    // The last file that begins at or before the index.
    var (low, high) = (0, files.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if firstSamples[middle] <= index { low = middle } else { high = middle }
    }
    return low
  }
}

extension TokenizedText {
  /// Appends another text, preceded by a separator unless it is the first.
  fileprivate mutating func append(_ other: TokenizedText, after separator: Int32) {
    if !ids.isEmpty {
      ids.append(separator)
      // The mask generator never selects the separator; the next token begins a new word.
      if !other.wordStarts.isEmpty { wordStarts.append(true) }
    }
    ids.append(contentsOf: other.ids)
    wordStarts.append(contentsOf: other.wordStarts)
  }
}
