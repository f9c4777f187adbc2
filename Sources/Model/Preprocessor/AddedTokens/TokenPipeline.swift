import Text

/// The defining conversion of a text into tokens. Added tokens with a literal spelling are found in the original text,
/// and the text between them is normalized. Other added tokens are found in the normalized text. The rest is split into
/// words, and words into pieces.
///
/// Source: `AddedVocabulary.extract_and_normalize` of the tokenizers library, and the code that follows it.
/// `CachedEncoder` gives the same ids faster.
struct TokenPipeline: Sendable {
  nonisolated(unsafe) let table: PieceTable
  let unknown: Int32
  /// The maximum number of scalars in a word that is split.
  let limit: Int
  let normalizer: TextNormalizer
  /// Replaces BERT's normalization and word splitting.
  let steps: TextSteps?
  /// The class of each byte.
  nonisolated(unsafe) let classes: UnsafePointer<UInt8>
  /// The tokens to find in the original and in the normalized text.
  let rawTokens: TokenTrie?
  let normalizedTokens: TokenTrie?
  /// The maximum number of white-space characters in a token.
  let blanksInTokens: Int
  /// Whether the text on both sides of ASCII white space can be read independently, unless a token covers it.
  let separatesAtBlanks: Bool
  /// Whether a token depends on an adjacent character.
  let hasSingleWords: Bool

  /// Whether tokens are looked for in the normalized text.
  @inline(__always)
  func hasNormalizedTokens(_ mode: UInt8) -> Bool { (normalizedTokens?.modes ?? 0) & mode != 0 }

  // MARK: Encoding

  /// Passes the tokens of a part of a text to `sink`.
  ///
  /// - Parameter wordBefore: whether a letter, digit or underscore precedes the part.
  @inline(__always)
  func encode<Sink: TokenSink>(
    _ bytes: UnsafePointer<UInt8>, from start: Int, to end: Int, mode: UInt8, wordBefore: Bool = false,
    wordMemory: UnsafeMutableRawPointer, pieceMemory: UnsafeMutableRawPointer, sink: Sink
  ) {
    var word = WordBuffer(limit: limit, tracking: Sink.wantsOffsets, memory: wordMemory)
    var pieces = WordPiece(table: table, unknown: unknown, limit: limit, memory: pieceMemory, sink: sink)
    guard let rawTokens, rawTokens.modes & mode != 0 else {
      return encodeBetween(bytes, start..<end, mode, wordBefore, &word, &pieces)
    }
    var done = start
    var index = start
    while index < end {
      guard let match = rawTokens.longest(bytes, at: index, end: end, mode: mode) else {
        index += 1
        continue
      }
      let token = match.token
      if token.singleWord {
        let isBehindWord = index == start ? wordBefore : isWord(scalarBefore(index, from: start, bytes))
        let isBeforeWord = match.end < end && isWord(decodeScalar(bytes, at: match.end, count: end).scalar)
        if isBehindWord || isBeforeWord {
          index = match.end
          continue
        }
      }
      var (first, last) = (index, match.end)
      if token.leftStrip {
        first = max(blanksBefore(index, from: start) { scalarBefore($0, from: start, bytes) }, done)
      }
      if token.rightStrip {
        last = blanksBehind(match.end) { $0 < end ? decodeScalar(bytes, at: $0, count: end).scalar : nil }
      }
      index = match.end
      // Skips white space that belongs to the previous token.
      guard first < last else { continue }
      let range = first..<last
      if done < range.lowerBound {
        encodeBetween(bytes, done..<range.lowerBound, mode, done == start && wordBefore, &word, &pieces)
      }
      pieces.addedToken(token.id, from: range.lowerBound, to: range.upperBound)
      done = range.upperBound
    }
    if done < end { encodeBetween(bytes, done..<end, mode, done == start && wordBefore, &word, &pieces) }
  }

  /// Handles the text between literally matched tokens.
  @inline(__always)
  private func encodeBetween<Sink: TokenSink>(
    _ bytes: UnsafePointer<UInt8>, _ part: Range<Int>, _ mode: UInt8, _ wordBefore: Bool, _ word: inout WordBuffer,
    _ pieces: inout WordPiece<Sink>
  ) {
    if steps == nil, !hasNormalizedTokens(mode) {
      normalizer.split(
        bytes, from: part.lowerBound, to: part.upperBound, classes: classes, word: &word, into: &pieces)
    } else {
      encodeNormalized(bytes, part, mode, wordBefore, &word, &pieces)
    }
  }

  @inline(never)
  private func encodeNormalized<Sink: TokenSink>(
    _ bytes: UnsafePointer<UInt8>, _ part: Range<Int>, _ mode: UInt8, _ wordBefore: Bool, _ word: inout WordBuffer,
    _ pieces: inout WordPiece<Sink>
  ) {
    let text = normalized(bytes, part, tracksOffsets: Sink.wantsOffsets || Sink.wantsWordStarts)
    var done = 0
    func cutWords(to end: Int) {
      guard done < end else { return }
      for range in words(of: text, in: done..<end) { give(text, range, &word, &pieces) }
    }
    if let normalizedTokens, normalizedTokens.modes & mode != 0 {
      var index = 0
      let end = text.bytes.count
      while index < end {
        let match = text.bytes.withUnsafeBufferPointer { bytes in
          bytes.baseAddress.flatMap { normalizedTokens.longest($0, at: index, end: end, mode: mode) }
        }
        guard let match else {
          index += 1
          continue
        }
        let token = match.token
        if token.singleWord {
          let isBehindWord = index == 0 ? wordBefore : isWord(text.scalar(before: index))
          if isBehindWord || isWord(text.scalar(at: match.end)) {
            index = match.end
            continue
          }
        }
        var (first, last) = (index, match.end)
        if token.leftStrip { first = max(blanksBefore(index, from: 0) { text.scalar(before: $0) }, done) }
        if token.rightStrip { last = blanksBehind(match.end) { text.scalar(at: $0) } }
        index = match.end
        guard first < last else { continue }
        let range = first..<last
        cutWords(to: range.lowerBound)
        let origin = text.origin(of: range)
        pieces.addedToken(token.id, from: origin.lowerBound, to: origin.upperBound)
        done = range.upperBound
      }
    }
    cutWords(to: text.bytes.count)
  }

  /// Returns a normalized part of a text.
  func normalized(_ bytes: UnsafePointer<UInt8>, _ part: Range<Int>, tracksOffsets: Bool) -> NormalizedText {
    var text = NormalizedText(bytes, from: part.lowerBound, to: part.upperBound, tracksOffsets: tracksOffsets)
    if let steps {
      for step in steps.normalizers { text.apply(step) }
    } else {
      text.normalize(normalizer)
    }
    return text
  }

  private func words(of text: NormalizedText, in range: Range<Int>) -> [Range<Int>] {
    guard let steps else { return TextSteps.PreTokenizer.bert.cut([range], of: text) }
    return steps.preTokenizers.reduce([range]) { parts, step in step.cut(parts, of: text) }
  }

  @inline(__always)
  private func give<Sink: TokenSink>(
    _ text: NormalizedText, _ range: Range<Int>, _ word: inout WordBuffer, _ pieces: inout WordPiece<Sink>
  ) {
    word.clear()
    text.forEachScalar(in: range) { scalar, range in
      let origin = text.origin(of: range)
      word.append(scalar, from: origin.lowerBound, to: origin.upperBound, tracking: Sink.wantsOffsets)
    }
    if !word.isEmpty { pieces.anyWord(word) }
    word.clear()
  }

  private func isWord(_ scalar: UInt32?) -> Bool { scalar.map(UnicodeClasses.shared.isWord) ?? false }

  /// Returns the start of the white space before `index`.
  private func blanksBefore(_ index: Int, from start: Int, _ scalarBefore: (Int) -> UInt32?) -> Int {
    var index = index
    while let scalar = scalarBefore(index), UnicodeClasses.isWhiteSpace(scalar) { index -= utf8Length(of: scalar) }
    return index
  }

  /// Returns the end of the white space after `index`.
  private func blanksBehind(_ index: Int, _ scalar: (Int) -> UInt32?) -> Int {
    var index = index
    while let scalar = scalar(index), UnicodeClasses.isWhiteSpace(scalar) { index += utf8Length(of: scalar) }
    return index
  }

  // MARK: Where text can be cut

  /// Whether a token may begin with a byte of ASCII punctuation; the byte is the same in normalized text.
  func mayBeginToken(_ bytes: UnsafePointer<UInt8>, at index: Int, count: Int, mode: UInt8) -> Bool {
    if let rawTokens, rawTokens.longest(bytes, at: index, end: count, mode: mode) != nil { return true }
    guard let normalizedTokens, normalizedTokens.modes & mode != 0 else { return false }
    return normalizedTokens.hasTokens(beginningWith: bytes[index])
  }

  /// Returns how added tokens affect a run: a part of a text between ASCII white space and punctuation.
  func touch(_ bytes: UnsafePointer<UInt8>, count: Int, mode: UInt8) -> TokenTrie.Touch {
    var touch = TokenTrie.Touch.none
    if let rawTokens, rawTokens.modes & mode != 0 {
      touch = rawTokens.touch(bytes, count: count)
      if touch == .open { return .open }
    }
    guard let normalizedTokens, normalizedTokens.modes & mode != 0 else { return touch }
    let text = normalized(bytes, 0..<count, tracksOffsets: false)
    let other = text.bytes.withUnsafeBufferPointer { bytes in
      bytes.baseAddress.map { normalizedTokens.touch($0, count: bytes.count) } ?? .none
    }
    return other == .none ? touch : other
  }

  /// Returns the first ASCII white space after `start` at which the text can be cut, so that no token spans it, or the
  /// end of the text. `start` must be such an offset or the beginning of a run.
  func cut(_ bytes: UnsafePointer<UInt8>, behind start: Int, count: Int, mode: UInt8) -> Int {
    var end = start + 1
    while true {
      while end < count, classes[Int(bytes[end])] != TextNormalizer.ByteClass.blank { end += 1 }
      if end == count || blanksInTokens == 0 || !mayContinue(bytes, start..<end, mode: mode) { return end }
      end += 1
    }
  }

  /// Returns whether the text can be cut at a white space, so that no token spans it. `start`: an earlier offset where
  /// it can.
  func canCut(_ bytes: UnsafePointer<UInt8>, at index: Int, from start: Int, mode: UInt8) -> Bool {
    guard separatesAtBlanks else { return false }
    if blanksInTokens == 0 { return true }
    var first = index
    var blanks = 0
    while first > start, blanks <= blanksInTokens {
      first -= 1
      if TokenTrie.isBlank(bytes[first]) { blanks += 1 }
    }
    return !mayContinue(bytes, first..<index, mode: mode)
  }

  private func mayContinue(_ bytes: UnsafePointer<UInt8>, _ part: Range<Int>, mode: UInt8) -> Bool {
    if let rawTokens, rawTokens.continuesWithBlank(bytes + part.lowerBound, count: part.count) { return true }
    guard let normalizedTokens, normalizedTokens.modes & mode != 0 else { return false }
    let text = normalized(bytes, part, tracksOffsets: false)
    return text.bytes.withUnsafeBufferPointer { bytes in
      bytes.baseAddress.map { normalizedTokens.continuesWithBlank($0, count: bytes.count) } ?? false
    }
  }
}
