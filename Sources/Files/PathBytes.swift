/// Paths are bytes, and Linux does not require that they are UTF-8. A `String` can hold any path: each byte that is not
/// part of a UTF-8 sequence becomes one of the private-use characters U+10FE80 to U+10FEFF. (Python does the same with
/// lone surrogates, which a Swift string cannot hold.) If a path has one of these characters itself, its four bytes are
/// converted in the same way, so that no two paths become one string.
///
/// Use `init(path:)` for a path that comes from the system, and `cPath` or `pathBytes` for a path that goes to it.
extension String {
  /// Creates a string from the bytes of a path, or of another text of the system.
  package init(path bytes: some Sequence<UInt8>) {
    let bytes = Array(bytes)
    if !bytes.contains(PathByte.lead), let text = String(validating: bytes, as: UTF8.self) {
      self = text
    } else {
      self = PathByte.decode(bytes)
    }
  }

  /// Creates a string from a C string.
  package init(cPath text: UnsafePointer<CChar>) {
    var length = 0
    while text[length] != 0 { length += 1 }
    self.init(path: UnsafeRawBufferPointer(start: text, count: length))
  }

  /// The bytes of a path.
  package var pathBytes: [UInt8] {
    guard utf8.contains(PathByte.lead) else { return Array(utf8) }
    return unicodeScalars.flatMap { scalar in PathByte.value(of: scalar).map { [$0] } ?? Array(Character(scalar).utf8) }
  }

  /// The path as a C string for system calls, with its final zero byte.
  package var cPath: [CChar] { pathBytes.map { CChar(bitPattern: $0) } + [0] }
}

/// The mapping between bytes of paths that are not UTF-8 and characters.
package enum PathByte {
  private static let first: UInt32 = 0x10_FE00
  /// The first byte of these characters' UTF-8.
  fileprivate static let lead: UInt8 = 0xF4

  /// The character for a byte above 0x7F.
  package static func scalar(_ byte: UInt8) -> Unicode.Scalar { Unicode.Scalar(first + UInt32(byte)) ?? "\u{FFFD}" }

  /// The byte that a character of a path represents; nil for an ordinary character.
  package static func value(of scalar: Unicode.Scalar) -> UInt8? {
    (first + 0x80...first + 0xFF).contains(scalar.value) ? UInt8(scalar.value - first) : nil
  }

  fileprivate static func decode(_ bytes: [UInt8]) -> String {
    var text = String.UnicodeScalarView()
    var (parser, rest, at) = (UTF8.ForwardParser(), bytes.makeIterator(), 0)
    while true {
      let length: Int
      switch parser.parseScalar(from: &rest) {
      case .emptyInput: return String(text)
      case .valid(let encoded):
        let scalar = UTF8.decode(encoded)
        length = encoded.count
        if value(of: scalar) == nil {
          text.append(scalar)
          at += length
          continue
        }
      case .error(let count): length = count
      }
      for byte in bytes[at..<at + length] { text.append(self.scalar(byte)) }
      at += length
    }
  }
}
