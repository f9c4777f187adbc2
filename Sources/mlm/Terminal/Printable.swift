import Files
import Model

/// Makes text safe for one line of a terminal: control characters, which could break the line or control the terminal,
/// are written as C escapes.
enum Printable {
  /// Escapes a message, including the bytes of file names that are not UTF-8.
  static func oneLine(_ text: String) -> String {
    replacing(in: text) { escape($0) ?? PathByte.value(of: $0).map { "\\x" + String($0, radix: 16) } }
  }

  /// Escapes only the control characters of a user's text or of a word piece.
  static func text(_ text: String) -> String { replacing(in: text, escape) }

  /// The same for UTF-8.
  static func text(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    // No byte that could begin an escaped character.
    let isPlain = bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != 0xC2 && $0 != 0xE2 }
    return isPlain ? Array(bytes) : Array(text(String(decoding: bytes, as: UTF8.self)).utf8)
  }

  private static func replacing(in text: String, _ escape: (Unicode.Scalar) -> String?) -> String {
    guard text.unicodeScalars.contains(where: { escape($0) != nil }) else { return text }
    var safe = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if let escaped = escape(scalar) { safe.append(contentsOf: escaped.unicodeScalars) } else { safe.append(scalar) }
    }
    return String(safe)
  }

  /// The escape of a control character; nil for other characters.
  private static func escape(_ scalar: Unicode.Scalar) -> String? {
    guard isControl(scalar) else { return nil }
    switch scalar {
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    default:
      let hex = String(scalar.value, radix: 16)
      return scalar.value < 256 ? "\\x" + (hex.utf8.count < 2 ? "0" : "") + hex : "\\u{\(hex)}"
    }
  }

  /// Whether a scalar is a C0 or C1 control, a line separator or a bidirectional control.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x2028...0x2029, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}

/// The number of columns that text takes on a terminal.
enum DisplayWidth {
  static func of(_ text: String) -> Int { text.unicodeScalars.reduce(0) { $0 + width($1) } }

  /// The longest prefix that fits.
  static func prefix(_ text: String, columns: Int) -> String {
    var used = 0
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      used += width(scalar)
      if used > columns { break }
      result.append(scalar)
    }
    return String(result)
  }

  static func padded(_ text: String, to columns: Int) -> String {
    text + String(repeating: " ", count: max(0, columns - of(text)))
  }

  /// Two for East Asian wide characters and emoji, zero for combining marks, in ranges from Unicode's EastAsianWidth.
  private static func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0x20..<0x300: return 1
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
      0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
      0x1F900...0x1F9FF, 0x20000...0x3FFFD:
      return 2
    default: break
    }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: return 1
    }
  }
}
