/// Finds what is not UTF-8. (The tokenizer reads such bytes as U+FFFD by itself.)
package enum UTF8Validation {
  /// The first byte at or after `start` that begins no well-formed sequence; nil where all is well. ASCII goes by
  /// eights.
  package static func firstInvalid(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int = 0) -> Int? {
    guard let base = bytes.baseAddress else { return nil }
    let count = bytes.count
    var at = start
    while at < count {
      if base[at] < 0x80 {
        while at + 8 <= count,
          UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self) & 0x8080_8080_8080_8080 == 0
        { at += 8 }
        while at < count, base[at] < 0x80 { at += 1 }
        continue
      }
      let length = UTF8Sequence.length(bytes, at: at)
      if length == 0 { return at }
      at += length
    }
    return nil
  }

  /// The bytes at `at` that one U+FFFD stands for: the longest beginning of a well-formed sequence, or one byte
  /// (Unicode standard, 3.9, "substitution of maximal subparts"; what Python's and the browsers' decoders do). `at`
  /// is invalid.
  static func invalidLength(_ bytes: UnsafeBufferPointer<UInt8>, at: Int) -> Int {
    let second: ClosedRange<UInt8>
    let needed: Int
    switch bytes[at] {
    case 0xE0: (second, needed) = (0xA0...0xBF, 3)
    case 0xED: (second, needed) = (0x80...0x9F, 3)
    case 0xE1...0xEF: (second, needed) = (0x80...0xBF, 3)
    case 0xF0: (second, needed) = (0x90...0xBF, 4)
    case 0xF1...0xF3: (second, needed) = (0x80...0xBF, 4)
    case 0xF4: (second, needed) = (0x80...0x8F, 4)
    default: return 1
    }
    guard at + 1 < bytes.count, second.contains(bytes[at + 1]) else { return 1 }
    // Not the whole sequence, or it would be valid.
    return needed == 4 && at + 2 < bytes.count && bytes[at + 2] & 0xC0 == 0x80 ? 3 : 2
  }

  /// How many times U+FFFD stands for what is not UTF-8 in the text, and at which byte first, counted from 0.
  package static func count(_ bytes: UnsafeBufferPointer<UInt8>) -> (count: Int, first: Int?) {
    guard let first = firstInvalid(bytes) else { return (0, nil) }
    var count = 0
    var invalid: Int? = first
    while let at = invalid {
      count += 1
      invalid = firstInvalid(bytes, from: at + invalidLength(bytes, at: at))
    }
    return (count, first)
  }
}
