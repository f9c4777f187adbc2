import Text

/// A text's tokens, by the definition: added tokens that stand in the text as they are spelled; the text between them
/// normalized; added tokens in that; what is left cut into words, and words into pieces.
///
/// Source: `AddedVocabulary.extract_and_normalize` of the tokenizers library, and what follows it. `CachedEncoder` gives the
/// same ids, sooner.
struct TokenPipeline: Sendable {
  nonisolated(unsafe) let table: PieceTable
  let unknown: Int32
  /// The most scalars of a word that is cut.
  let limit: Int
  let normalizer: TextNormalizer
  /// Instead of BERT's normalization and words.
  let steps: TextSteps?
  /// The class of each byte.
  nonisolated(unsafe) let classes: UnsafePointer<UInt8>
  /// Tokens to find in the text as it stands, and in the normalized text.
  let rawTokens: TokenTrie?
  let normalizedTokens: TokenTrie?
  /// The white space that a token has at most.
  let blanksInTokens: Int
  /// Whether what is on both sides of ASCII white space can be read by itself, where no token covers it.
  let separatesAtBlanks: Bool
  /// Whether a token depends on the character next to it.
  let hasSingleWords: Bool

  /// Whether tokens are looked for in normalized text.
  @inline(__always)
  func hasNormalizedTokens(_ mode: UInt8) -> Bool { (normalizedTokens?.modes ?? 0) & mode != 0 }

  // MARK: Encoding

  /// Gives the tokens of a part of a text to `sink`.
  ///
  /// - Parameter wordBefore: whether the part begins behind a letter, digit or underscore.
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
      // White space that the token before took along is not there again.
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

  /// What stands between tokens that are found as they are spelled.
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

  /// A part of a text, normalized.
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
    text.forEachScalar(in: range) { scalar, place in
      let origin = text.origin(of: place)
      word.append(scalar, from: origin.lowerBound, to: origin.upperBound, tracking: Sink.wantsOffsets)
    }
    if !word.isEmpty { pieces.anyWord(word) }
    word.clear()
  }

  private func isWord(_ scalar: UInt32?) -> Bool { scalar.map(UnicodeClasses.shared.isWord) ?? false }

  /// Where the white space before a place begins.
  private func blanksBefore(_ index: Int, from start: Int, _ scalarBefore: (Int) -> UInt32?) -> Int {
    var index = index
    while let scalar = scalarBefore(index), UnicodeClasses.isWhiteSpace(scalar) { index -= utf8Length(of: scalar) }
    return index
  }

  /// Where the white space behind a place ends.
  private func blanksBehind(_ index: Int, _ scalar: (Int) -> UInt32?) -> Int {
    var index = index
    while let scalar = scalar(index), UnicodeClasses.isWhiteSpace(scalar) { index += utf8Length(of: scalar) }
    return index
  }

  // MARK: Where text can be cut

  /// Whether a token may begin with a byte of ASCII punctuation; in normalized text it is the same byte.
  func mayBeginToken(_ bytes: UnsafePointer<UInt8>, at index: Int, count: Int, mode: UInt8) -> Bool {
    if let rawTokens, rawTokens.longest(bytes, at: index, end: count, mode: mode) != nil { return true }
    guard let normalizedTokens, normalizedTokens.modes & mode != 0 else { return false }
    return normalizedTokens.hasTokens(beginningWith: bytes[index])
  }

  /// What added tokens have to do with a run: a part of a text between ASCII white space and punctuation.
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

  /// The first ASCII white space behind `start` at which the text can be cut, `start` being such a place or the beginning of a
  /// run: no token stands on both sides of it. Or the end of the text.
  func cut(_ bytes: UnsafePointer<UInt8>, behind start: Int, count: Int, mode: UInt8) -> Int {
    var end = start + 1
    while true {
      while end < count, classes[Int(bytes[end])] != TextNormalizer.ByteClass.blank { end += 1 }
      if end == count || blanksInTokens == 0 || !mayContinue(bytes, start..<end, mode: mode) { return end }
      end += 1
    }
  }

  /// Whether white space can be cut at: no token stands on both sides of it. `start`: a place before it where the text can be cut.
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
