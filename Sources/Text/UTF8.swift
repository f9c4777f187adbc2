/// Reads the Unicode scalar at `index`; returns it and its length in bytes.
///
/// Invalid UTF-8 is read as U+FFFD, once per maximal subpart, as in `String(decoding:as:)` and the Unicode Standard
/// (section 3.9), so any bytes can be read. `index` must be less than `count`.
@inlinable @inline(__always)
package func decodeScalar(
  _ bytes: UnsafePointer<UInt8>, at index: Int, count: Int
) -> (scalar: UInt32, length: Int) {
  let lead = bytes[index]
  if lead < 0x80 { return (UInt32(lead), 1) }
  // The second byte has a narrower range after some leads: no overlong forms, no surrogates, nothing past U+10FFFF.
  var low: UInt8 = 0x80
  var high: UInt8 = 0xBF
  let length: Int
  var scalar: UInt32
  switch lead {
  case 0xC2...0xDF: (length, scalar) = (2, UInt32(lead & 0x1F))
  case 0xE0...0xEF:
    (length, scalar) = (3, UInt32(lead & 0x0F))
    if lead == 0xE0 { low = 0xA0 }
    if lead == 0xED { high = 0x9F }
  case 0xF0...0xF4:
    (length, scalar) = (4, UInt32(lead & 0x07))
    if lead == 0xF0 { low = 0x90 }
    if lead == 0xF4 { high = 0x8F }
  default: return (0xFFFD, 1)
  }
  var read = 1
  while read < length {
    guard index + read < count else { return (0xFFFD, read) }
    let byte = bytes[index + read]
    guard byte >= low, byte <= high else { return (0xFFFD, read) }
    scalar = scalar << 6 | UInt32(byte & 0x3F)
    (low, high) = (0x80, 0xBF)
    read += 1
  }
  return (scalar, length)
}

/// The length of a scalar in UTF-8, in bytes (1 to 4).
@inlinable
package func utf8Length(of scalar: UInt32) -> Int { scalar < 0x80 ? 1 : scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4 }

/// Writes a scalar as UTF-8 and returns its length in bytes (1 to 4).
@inlinable @inline(__always)
package func encodeScalar(_ scalar: UInt32, to bytes: UnsafeMutablePointer<UInt8>) -> Int {
  if scalar < 0x80 {
    bytes[0] = UInt8(truncatingIfNeeded: scalar)
    return 1
  }
  if scalar < 0x800 {
    bytes[0] = UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6)
    bytes[1] = UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F)
    return 2
  }
  if scalar < 0x10000 {
    bytes[0] = UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12)
    bytes[1] = UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F)
    bytes[2] = UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F)
    return 3
  }
  bytes[0] = UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18)
  bytes[1] = UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3F)
  bytes[2] = UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F)
  bytes[3] = UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F)
  return 4
}

/// Finds invalid UTF-8. (The tokenizer needs no such check: it reads invalid bytes as U+FFFD.)
package enum UTF8Validation {
  /// The index of the first byte at or after `start` that does not begin a well-formed sequence; nil if there is none.
  /// ASCII is checked eight bytes at a time.
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
      let length = UTF8Validation.length(bytes, at: at)
      if length == 0 { return at }
      at += length
    }
    return nil
  }

  /// The length of the well-formed sequence at index `at`, 1…4 (Unicode Standard, table 3-7); 0 if it is not
  /// well-formed.
  @inlinable
  package static func length(_ bytes: UnsafeBufferPointer<UInt8>, at: Int) -> Int {
    guard let base = bytes.baseAddress, at < bytes.count else { return 0 }
    let (scalar, length) = decodeScalar(base, at: at, count: bytes.count)
    // U+FFFD itself is well-formed.
    let isReplacement = scalar == 0xFFFD && !(length == 3 && base[at] == 0xEF && base[at + 2] == 0xBD)
    return isReplacement ? 0 : length
  }

  /// The number of U+FFFD that replace invalid UTF-8 in the text, and the index of the first invalid byte.
  package static func count(_ bytes: UnsafeBufferPointer<UInt8>) -> (count: Int, first: Int?) {
    guard let first = firstInvalid(bytes), let base = bytes.baseAddress else { return (0, nil) }
    var count = 0
    var invalid: Int? = first
    while let at = invalid {
      count += 1
      invalid = firstInvalid(bytes, from: at + decodeScalar(base, at: at, count: bytes.count).length)
    }
    return (count, first)
  }
}
