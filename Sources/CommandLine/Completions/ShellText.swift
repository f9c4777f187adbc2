import Files

/// Quotes text or a path as a word of a shell.
package enum ShellText {
  package static func quoted(_ text: String) -> String {
    if !text.isEmpty, text.utf8.allSatisfy(isPlain) { return text }
    // Control characters are escaped, so that the word stays on one line.
    if text.unicodeScalars.contains(where: { escapedByte($0) != nil }) {
      return "$'" + text.unicodeScalars.map(escaped).joined() + "'"
    }
    return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "@%_+=:,./-".utf8.contains(byte)
    }
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\n": return "\\n"
    case "\t": return "\\t"
    case "'", "\\": return "\\" + String(scalar)
    default:
      guard let byte = escapedByte(scalar) else { return String(scalar) }
      return "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
  }

  /// The byte of a character that must be escaped: a control, or a byte of a path that is not UTF-8.
  private static func escapedByte(_ scalar: Unicode.Scalar) -> UInt8? {
    scalar.value < 0x20 || scalar.value == 0x7F ? UInt8(scalar.value) : PathByte.value(of: scalar)
  }
}
