/// Reads one Unicode scalar of `bytes` at `index`, and how many bytes it takes.
///
/// Bytes that are not UTF-8 give U+FFFD, one for each maximal subpart, as `String(decoding:as:)` and the Unicode standard
/// (section 3.9) have it; so any bytes at all can be read. `index` must be below `count`.
@inline(__always)
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

/// The bytes that a scalar takes in UTF-8 (1 to 4).
package func utf8Length(of scalar: UInt32) -> Int { scalar < 0x80 ? 1 : scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4 }

/// Writes a scalar as UTF-8 and returns how many bytes that took (1 to 4).
@inline(__always)
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

/// The place of the first byte that is not UTF-8, or nil if all of it is.
package func firstInvalidUTF8(_ bytes: UnsafePointer<UInt8>, count: Int) -> Int? {
  var index = 0
  while index < count {
    if bytes[index] < 0x80 {
      index += 1
      continue
    }
    let (scalar, length) = decodeScalar(bytes, at: index, count: count)
    if scalar == 0xFFFD
      && !(length == 3 && bytes[index] == 0xEF && bytes[index + 1] == 0xBF && bytes[index + 2] == 0xBD)
    {
      return index
    }
    index += length
  }
  return nil
}
