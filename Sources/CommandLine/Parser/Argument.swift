// For paths of arbitrary bytes.
import Files

/// One argument as passed by the shell: bytes that need not be UTF-8.
package struct Argument: Sendable, Equatable, ExpressibleByStringLiteral {
  package let bytes: [UInt8]

  package init(bytes: [UInt8]) { self.bytes = bytes }
  package init(_ text: String) { bytes = Array(text.utf8) }
  package init(stringLiteral text: String) { self.init(text) }

  /// The argument as text; invalid UTF-8 becomes U+FFFD.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The argument as a path, which keeps all bytes.
  package var path: String { String(path: bytes) }

  /// Whether the argument looks like an option: `-x` or `--name`, but neither `-` alone nor a negative number.
  package var looksLikeOption: Bool {
    guard bytes.count > 1, bytes[0] == UInt8(ascii: "-") else { return false }
    return Double(text) == nil
  }
}
