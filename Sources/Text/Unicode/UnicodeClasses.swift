/// The Unicode data that components of a tokenizer.json other than BERT's need: classes of scalars, and the canonical
/// decompositions and compositions of NFD and NFC.
///
/// The values are those of Hugging Face's tokenizers library (`Scripts/generate-unicode-classes`). They are unpacked
/// when a tokenizer first needs them. BERT's own normalization does not need them (`UnicodeTables`).
package final class UnicodeClasses: Sendable {
  package static let shared = UnicodeClasses()

  private let words: ScalarRanges
  private let marks: ScalarRanges
  private let numbers: ScalarRanges
  /// The full canonical decomposition of each scalar, except for Hangul syllables, which are decomposed by arithmetic.
  private let decompositions: [UInt32: [UInt32]]
  /// The composition of two scalars, by the first one's bits above the second's.
  private let compositions: [UInt64: UInt32]

  private init() {
    words = ScalarRanges(UnicodeClassesData.words)
    marks = ScalarRanges(UnicodeClassesData.marks)
    numbers = ScalarRanges(UnicodeClassesData.numbers)

    var decompositions: [UInt32: [UInt32]] = [:]
    var reader = NumberReader(UnicodeClassesData.decompositions)
    var (scalar, output) = (0, 0)
    while !reader.isAtEnd {
      scalar += reader.next()
      var result: [UInt32] = []
      for _ in 0..<reader.next() {
        output += reader.nextSigned()
        result.append(UInt32(truncatingIfNeeded: output))
      }
      decompositions[UInt32(truncatingIfNeeded: scalar)] = result
      scalar += 1
    }
    self.decompositions = decompositions

    var compositions: [UInt64: UInt32] = [:]
    reader = NumberReader(UnicodeClassesData.compositions)
    var first = 0
    while !reader.isAtEnd {
      first += reader.nextSigned()
      let second = reader.next()
      compositions[UInt64(first) << 32 | UInt64(second)] = UInt32(truncatingIfNeeded: reader.next())
    }
    self.compositions = compositions
  }

  /// Whether `\w` matches a scalar in Rust's regular expressions.
  package func isWord(_ scalar: UInt32) -> Bool {
    scalar < 0x80
      ? (scalar | 0x20) &- 0x61 < 26 || scalar &- 0x30 < 10 || scalar == 0x5F : words.contains(scalar)
  }

  /// Whether a scalar is a mark of any kind, which `StripAccents` removes (`UnicodeTables.Flags.mark` has only the
  /// nonspacing ones).
  package func isMark(_ scalar: UInt32) -> Bool { scalar >= 0x300 && marks.contains(scalar) }

  /// Whether a scalar is a decimal digit, a letter for a number, or another number.
  package func isNumber(_ scalar: UInt32) -> Bool { scalar < 0x80 ? scalar &- 0x30 < 10 : numbers.contains(scalar) }

  /// Whether a scalar is white space (Rust's `char::is_whitespace` and `\s`).
  package static func isWhiteSpace(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }

  /// The canonical decomposition of a scalar; nil if it has none.
  package func decomposition(_ scalar: UInt32) -> [UInt32]? {
    if scalar < 0xC0 { return nil }
    if scalar >= 0xAC00, scalar <= 0xD7A3 {
      // Unicode Standard, section 3.12.
      let syllable = scalar - 0xAC00
      let parts = [0x1100 + syllable / 588, 0x1161 + syllable % 588 / 28]
      return syllable % 28 == 0 ? parts : parts + [0x11A7 + syllable % 28]
    }
    return decompositions[scalar]
  }

  /// The composition of two scalars in NFC; nil if there is none.
  package func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if first &- 0x1100 < 19, second &- 0x1161 < 21 {
      return 0xAC00 + ((first - 0x1100) * 21 + second - 0x1161) * 28
    }
    if first &- 0xAC00 < 11_172, (first - 0xAC00) % 28 == 0, second &- 0x11A8 < 27 {
      return first + second - 0x11A7
    }
    return compositions[UInt64(first) << 32 | UInt64(second)]
  }
}

/// A set of scalars, as ranges in ascending order.
private struct ScalarRanges: Sendable {
  private var starts: [UInt32] = []
  private var ends: [UInt32] = []

  init(_ text: StaticString) {
    var reader = NumberReader(text)
    var scalar = 0
    while !reader.isAtEnd {
      scalar += reader.next()
      starts.append(UInt32(truncatingIfNeeded: scalar))
      scalar += reader.next() + 1
      ends.append(UInt32(truncatingIfNeeded: scalar))
    }
  }

  func contains(_ scalar: UInt32) -> Bool {
    var (low, high) = (0, starts.count)
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] <= scalar { low = middle + 1 } else { high = middle }
    }
    return low > 0 && scalar < ends[low - 1]
  }
}
