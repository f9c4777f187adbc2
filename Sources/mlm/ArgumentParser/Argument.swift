import Model

/// One argument as the shell passed it: bytes, which need not be UTF-8.
struct Argument: Sendable, Equatable, ExpressibleByStringLiteral {
  let bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = bytes }
  init(_ text: String) { bytes = Array(text.utf8) }
  init(stringLiteral text: String) { self.init(text) }

  /// The argument as text; bytes that are no UTF-8 become U+FFFD.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The argument as a path, which keeps all bytes.
  var path: String { String(path: bytes) }

  /// Whether it is spelled like an option: `-x` or `--name`, but neither `-` alone nor a negative number.
  var looksLikeOption: Bool {
    guard bytes.count > 1, bytes[0] == UInt8(ascii: "-") else { return false }
    return Double(text) == nil
  }
}
