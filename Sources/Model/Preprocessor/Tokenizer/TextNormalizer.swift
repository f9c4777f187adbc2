import Text

/// BERT's normalization and splitting into words, in one pass over the bytes of a text.
///
/// transformers works in two steps: `BertNormalizer` (drop control characters, put blanks around CJK ideographs, NFD
/// without nonspacing marks, lower case) and `BertPreTokenizer` (split at white space, separate punctuation). Here,
/// both are done scalar by scalar, with a fast path for ASCII and without allocations.
///
/// Source: transformers' `BertTokenizer`, as implemented in the tokenizers library.
struct TextNormalizer: Sendable, Equatable {
  /// Whether to drop control characters and U+FFFD, and to replace white space with blanks.
  let cleansText: Bool
  /// Whether each CJK ideograph is a word.
  let splitsCJK: Bool
  /// Whether to apply NFD and drop nonspacing marks.
  let stripsAccents: Bool
  let lowercases: Bool
  /// The `UnicodeTables.Flags` that have an effect with these options.
  private let activeFlags: UInt16

  /// The treatment of a byte.
  enum ByteClass {
    static let letter: UInt8 = 0
    static let blank: UInt8 = 1
    static let removed: UInt8 = 2
    static let punctuation: UInt8 = 3
    static let nonASCII: UInt8 = 4
    /// Punctuation that may begin an added token (`CachedEncoder`).
    static let token: UInt8 = 5

    /// Returns whether words end before a byte of this class: blanks and punctuation, the odd numbers.
    @inline(__always)
    static func endsWord(_ byteClass: UInt8) -> Bool { byteClass & 1 != 0 }
  }

  init(cleansText: Bool = true, splitsCJK: Bool = true, stripsAccents: Bool, lowercases: Bool) {
    self.cleansText = cleansText
    self.splitsCJK = splitsCJK
    self.stripsAccents = stripsAccents
    self.lowercases = lowercases
    typealias Flags = UnicodeTables.Flags
    var flags = Flags.whitespace | Flags.punctuation
    if cleansText { flags |= Flags.removed | Flags.blank }
    if splitsCJK { flags |= Flags.chinese }
    if stripsAccents { flags |= Flags.mark | Flags.decomposes | Flags.combining }
    if lowercases { flags |= Flags.capital }
    activeFlags = flags
  }

  /// Returns the class of each byte, without any added tokens.
  func byteClasses() -> [UInt8] {
    (0..<256).map { (byte: Int) -> UInt8 in
      switch byte {
      case 0x80...: ByteClass.nonASCII
      case 0x09, 0x0A, 0x0D, 0x20: ByteClass.blank
      case 0x0B, 0x0C: cleansText ? ByteClass.removed : ByteClass.blank
      case 0x00...0x1F, 0x7F: cleansText ? ByteClass.removed : ByteClass.letter
      case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: ByteClass.punctuation
      default: ByteClass.letter
      }
    }
  }

  /// Passes each word of a part of the text to `sink`. `classes`: `byteClasses()`.
  @inline(__always)
  func split<Sink: WordSink>(
    _ bytes: UnsafePointer<UInt8>, from start: Int, to count: Int, classes: UnsafePointer<UInt8>,
    word: inout WordBuffer, into sink: inout Sink
  ) {
    let caseBit: UInt8 = lowercases ? 0x20 : 0
    var index = start
    while index < count {
      switch classes[Int(bytes[index])] {
      case ByteClass.letter:
        index = appendASCII(
          bytes, from: index, count: count, classes: classes, caseBit: caseBit, word: &word, Sink.self)
      case ByteClass.blank:
        finish(&word, &sink)
        index += 1
      case ByteClass.punctuation:
        finish(&word, &sink)
        word.append(UInt32(bytes[index]), from: index, to: index + 1, tracking: Sink.wantsOffsets)
        finish(&word, &sink)
        index += 1
      case ByteClass.removed:
        index += 1
      default:
        let (scalar, length) = decodeScalar(bytes, at: index, count: count)
        append(scalar, from: index, to: index + length, word: &word, into: &sink)
        index += length
      }
    }
    finish(&word, &sink)
  }

  /// Appends the letter at `first` and the letters that follow it to the word; returns their end.
  @inline(__always)
  private func appendASCII<Sink: WordSink>(
    _ bytes: UnsafePointer<UInt8>, from first: Int, count: Int, classes: UnsafePointer<UInt8>, caseBit: UInt8,
    word: inout WordBuffer, _: Sink.Type
  ) -> Int {
    if word.scalars == 0 { word.start = first }
    let end = min(count, first + max(word.limit - word.scalars, 0))
    let target = word.bytes
    let prefixes = word.prefixes
    var position = word.count
    var hash = prefixes[position]
    var index = first
    while index < end, classes[Int(bytes[index])] == ByteClass.letter {
      var byte = bytes[index]
      if byte &- 0x41 < 26 { byte |= caseBit }
      target[position] = byte
      hash = hash &* PieceTable.multiplier &+ UInt64(byte) &+ 1
      if Sink.wantsOffsets {
        word.starts[position] = index
        word.ends[position] = index + 1
      }
      position += 1
      prefixes[position] = hash
      index += 1
    }
    word.count = position
    if index == end, index < count {
      while index < count, classes[Int(bytes[index])] == ByteClass.letter { index += 1 }
    }
    word.scalars += index - first
    word.end = index
    return index
  }

  @inline(__always)
  private func append<Sink: WordSink>(
    _ scalar: UInt32, from start: Int, to end: Int, word: inout WordBuffer, into sink: inout Sink
  ) {
    typealias Flags = UnicodeTables.Flags
    let tables = UnicodeTables.shared
    let entry = tables.entry(scalar)
    let flags = entry.pointee.flags & activeFlags
    if flags == 0 {
      word.append(scalar, from: start, to: end, tracking: Sink.wantsOffsets)
      return
    }
    if flags & Flags.removed != 0 { return }
    if flags & (Flags.blank | Flags.chinese) != 0 {
      finish(&word, &sink)
      if flags & Flags.blank != 0 { return }
    }
    if flags & Flags.decomposes != 0 {
      decompose(scalar, entry.pointee, from: start, to: end, word: &word, into: &sink, tables)
    } else if flags & Flags.mark != 0 {
      if entry.pointee.combiningClass == 0 { word.endRun() }
    } else {
      appendLowercased(scalar, from: start, to: end, word: &word, into: &sink, tables)
    }
    if flags & Flags.chinese != 0 { finish(&word, &sink) }
  }

  private func decompose<Sink: WordSink>(
    _ scalar: UInt32, _ entry: UnicodeTables.Entry, from start: Int, to end: Int, word: inout WordBuffer,
    into sink: inout Sink, _ tables: UnicodeTables
  ) {
    if scalar >= 0xAC00, scalar <= 0xD7A3 {
      // Hangul syllables decompose arithmetically (Unicode 3.12).
      let syllable = scalar - 0xAC00
      let tail = syllable % 28
      word.append(0x1100 + syllable / 588, from: start, to: end, tracking: Sink.wantsOffsets)
      word.append(0x1161 + syllable % 588 / 28, from: start, to: end, tracking: Sink.wantsOffsets)
      if tail != 0 { word.append(0x11A7 + tail, from: start, to: end, tracking: Sink.wantsOffsets) }
      return
    }
    for index in 0..<Int(entry.outputCount) {
      appendLowercased(
        tables.output(Int(entry.output) + index), from: start, to: end, word: &word, into: &sink, tables)
    }
  }

  @inline(__always)
  private func appendLowercased<Sink: WordSink>(
    _ scalar: UInt32, from start: Int, to end: Int, word: inout WordBuffer, into sink: inout Sink,
    _ tables: UnicodeTables
  ) {
    typealias Flags = UnicodeTables.Flags
    let entry = tables.entry(scalar).pointee
    let flags = entry.flags & activeFlags
    if flags & Flags.capital != 0 {
      if scalar == 0x130 {
        word.append(0x69, from: start, to: end, tracking: Sink.wantsOffsets)
        word.append(0x307, from: start, to: end, tracking: Sink.wantsOffsets)
      } else {
        let lower = UInt32(truncatingIfNeeded: Int32(truncatingIfNeeded: scalar) &+ entry.lowerDifference)
        word.append(lower, from: start, to: end, tracking: Sink.wantsOffsets)
      }
    } else if flags & Flags.whitespace != 0 {
      finish(&word, &sink)
    } else if flags & Flags.punctuation != 0 {
      finish(&word, &sink)
      word.append(scalar, from: start, to: end, tracking: Sink.wantsOffsets)
      finish(&word, &sink)
    } else if flags & Flags.combining != 0 {
      word.insert(
        scalar, combiningClass: entry.combiningClass, from: start, to: end, tracking: Sink.wantsOffsets,
        tables: tables)
    } else {
      word.append(scalar, from: start, to: end, tracking: Sink.wantsOffsets)
    }
  }

  @inline(__always)
  private func finish<Sink: WordSink>(_ word: inout WordBuffer, _ sink: inout Sink) {
    if word.isEmpty { return }
    sink.word(word)
    word.clear()
  }
}

/// Receives the words of a text one by one.
protocol WordSink {
  /// Whether the sink uses the word's `starts` and `ends`.
  static var wantsOffsets: Bool { get }
  /// Receives a nonempty word, which may be too long.
  mutating func word(_ word: borrowing WordBuffer)
}
