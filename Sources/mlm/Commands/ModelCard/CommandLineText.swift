extension ParsedArguments {
  /// The command as one would type it again in a POSIX shell (control characters: bash), in the order it was typed.
  ///
  /// - Parameters:
  ///   - leavingOut: options that say nothing about the result.
  ///   - preset: what was taken where none was typed.
  func commandLine(leavingOut names: Set<String> = [], preset: String? = nil) -> String {
    var words = ["mlm", command.name]
    if let preset, !given.contains(where: { $0.option.name == CommonOptions.preset.declaration.name }) {
      words += [CommonOptions.preset.declaration.spelling, ShellText.quoted(preset)]
    }
    for option in given where !names.contains(option.option.name) {
      guard let value = option.value?.text else {
        words.append(option.option.spelling)
        continue
      }
      let quoted = ShellText.quoted(value)
      words += value.hasPrefix("-") ? ["\(option.option.spelling)=\(quoted)"] : [option.option.spelling, quoted]
    }
    if operands.contains(where: { $0.looksLikeOption || $0.text == "--" }) { words.append("--") }
    return (words + operands.map { ShellText.quoted($0.text) }).joined(separator: " ")
  }
}

/// Text as a word of a shell.
enum ShellText {
  static func quoted(_ text: String) -> String {
    if !text.isEmpty, text.utf8.allSatisfy(isPlain) { return text }
    // A line of a document must stay one.
    if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
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
      guard scalar.value < 0x20 || scalar.value == 0x7F else { return String(scalar) }
      return "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
    }
  }
}
