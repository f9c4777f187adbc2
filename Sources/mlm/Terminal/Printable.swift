/// Text from outside, made fit for one line of a terminal.
enum Printable {
  /// Control characters, which could break the line or drive the terminal, in the notation of C; all else as it is.
  static func oneLine(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var safe = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if !isControl(scalar) {
        safe.append(scalar)
        continue
      }
      switch scalar {
      case "\n": safe.append(contentsOf: "\\n".unicodeScalars)
      case "\r": safe.append(contentsOf: "\\r".unicodeScalars)
      case "\t": safe.append(contentsOf: "\\t".unicodeScalars)
      default:
        let hex = String(scalar.value, radix: 16)
        let padding = String(repeating: "0", count: max(0, 2 - hex.count))
        safe.append(contentsOf: (scalar.value < 256 ? "\\x\(padding)\(hex)" : "\\u{\(hex)}").unicodeScalars)
      }
    }
    return String(safe)
  }

  /// C0, C1, and the marks that end lines or turn the direction of writing.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x2028...0x2029, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}

/// How many columns text takes on a terminal.
enum DisplayWidth {
  static func of(_ text: String) -> Int { text.unicodeScalars.reduce(0) { $0 + width($1) } }

  /// The longest beginning that fits.
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

  /// Two for East Asian wide characters and emoji, none for marks that combine; after Unicode's EastAsianWidth, in ranges.
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
