import Glibc

/// The lines of a text, as ranges of its bytes.
///
/// A line ends only at `\n`: U+2028, U+0085, form feed and a lone `\r` are characters in it. One `\r` before the `\n`
/// is dropped, and so is a byte-order mark at the start of the text. The last line may lack its `\n`; then the number
/// of lines is one more than `wc -l` reports.
package struct TextLines: Sequence, IteratorProtocol {
  package let bytes: UnsafeBufferPointer<UInt8>
  /// The offset of the next line.
  package private(set) var offset: Int
  /// The number of the line that was returned last, counted from 1.
  package private(set) var number = 0

  /// The bytes must outlive this value.
  package init(_ bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
    offset = Self.markLength(bytes)
  }

  /// The lines of a part of a text. The part begins and ends at line boundaries.
  package init(_ bytes: UnsafeBufferPointer<UInt8>, _ part: Range<Int>) {
    self.bytes = UnsafeBufferPointer(rebasing: bytes[..<part.upperBound])
    offset = part.lowerBound == 0 ? Self.markLength(bytes) : part.lowerBound
  }

  /// The next line without its line ending; nil after the last line.
  package mutating func next() -> Range<Int>? {
    guard offset < bytes.count else { return nil }
    let start = offset
    let end = Self.lineEnd(bytes, from: start)
    offset = end + 1
    number += 1
    return start..<Self.withoutReturn(bytes, start..<end)
  }

  /// The length of the byte-order mark at the start of the text: 3, or 0 if there is none.
  package static func markLength(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF ? 3 : 0
  }

  /// The offset of the next `\n` at or after `start`, or the end of the text.
  package static func lineEnd(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    guard let base = bytes.baseAddress, start < bytes.count else { return bytes.count }
    guard let found = memchr(base + start, 0x0A, bytes.count - start) else { return bytes.count }
    return UnsafeRawPointer(found) - UnsafeRawPointer(base)
  }

  /// The end of a line without the `\r` before its `\n`.
  package static func withoutReturn(_ bytes: UnsafeBufferPointer<UInt8>, _ line: Range<Int>) -> Int {
    let end = line.upperBound
    return end < bytes.count && end > line.lowerBound && bytes[end - 1] == 0x0D ? end - 1 : end
  }

  /// Whether a line has only white space (Unicode's White_Space). Invalid UTF-8 is not white space.
  package static func isBlank(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
    var at = 0
    while at < line.count {
      switch line[at] {
      case 0x20, 0x09...0x0D: at += 1
      case 0..<0x80: return false
      default:
        guard let base = line.baseAddress else { return true }
        let (scalar, length) = decodeScalar(base, at: at, count: line.count)
        guard UnicodeClasses.isWhiteSpace(scalar) else { return false }
        at += length
      }
    }
    return true
  }
}
