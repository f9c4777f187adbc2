/// Builds a page of man(7).
struct Roff {
  private(set) var text = ""
  /// Whether the last heading has no text yet, so that the next paragraph needs no space before it.
  private var isAfterHeading = false

  mutating func title(_ name: String, section: Int, date: String, source: String, manual: String) {
    text += ".TH \(name) \(section) \"\(date)\" \"\(source)\" \"\(manual)\"\n"
    // Hyphenation and justification would change text that users type.
    text += ".nh\n.ad l\n"
  }

  mutating func section(_ heading: String) { self.heading(".SH", heading.uppercased()) }

  mutating func subsection(_ heading: String) { self.heading(".SS", heading) }

  private mutating func heading(_ macro: String, _ heading: String) {
    text += "\(macro) \(Self.escaped(heading))\n"
    isAfterHeading = true
  }

  private mutating func beginParagraph() {
    if !isAfterHeading { text += ".PP\n" }
    isAfterHeading = false
  }

  mutating func paragraph(_ words: String) {
    beginParagraph()
    text += Self.lines(words)
  }

  /// Usage lines, each with the command in bold.
  mutating func synopsis(_ usages: [String]) {
    beginParagraph()
    for (index, usage) in usages.enumerated() {
      if index > 0 { text += ".br\n" }
      let words = usage.split(separator: " ").map { Self.escaped(String($0)) }
      let name = "\\fB" + words.prefix(2).joined(separator: " ") + "\\fR"
      text += ([name] + words.dropFirst(2)).joined(separator: " ") + "\n"
    }
  }

  /// A term in bold, a placeholder in italics, and below them the explanation.
  mutating func item(_ term: String, _ placeholder: String, _ explanation: String) {
    isAfterHeading = false
    text += ".TP\n\\fB\(Self.escaped(term))\\fR"
    if !placeholder.isEmpty { text += " \\fI\(Self.escaped(placeholder))\\fR" }
    text += "\n" + Self.lines(explanation)
  }

  mutating func example(_ command: String, meaning: String) {
    paragraph(meaning + ":")
    code([command])
  }

  /// Lines that are not filled.
  mutating func code(_ lines: [String]) {
    isAfterHeading = false
    let escaped = lines.map { Self.guarded(Self.escaped($0)) + "\n" }.joined()
    text += ".PP\n.RS 4\n.nf\n\(escaped).fi\n.RE\n"
  }

  /// Running text, with wrapped lines in the source.
  private static func lines(_ words: String) -> String {
    Help.wrapped(escaped(words), indent: 0).split(separator: "\n").map { guarded(String($0)) + "\n" }.joined()
  }

  /// Guards a line that begins with a dot or a quote, which roff would read as a command.
  private static func guarded(_ line: String) -> String {
    line.hasPrefix(".") || line.hasPrefix("'") || line.hasPrefix("\\(aq") ? "\\&" + line : line
  }

  /// Escapes characters that roff would interpret or print as others, such as a dash as a hyphen, which cannot be
  /// copied as a dash.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\e"
      case "-": escaped += "\\-"
      case "'": escaped += "\\(aq"
      case "\"": escaped += "\\(dq"
      case "`": escaped += "\\(ga"
      case "^": escaped += "\\(ha"
      case "~": escaped += "\\(ti"
      // Some terminals cannot show the character.
      case "\u{2026}": escaped += "..."
      case _ where scalar.isASCII: escaped.unicodeScalars.append(scalar)
      default:
        let hex = String(scalar.value, radix: 16, uppercase: true)
        escaped += "\\[u\(String(repeating: "0", count: max(0, 4 - hex.count)))\(hex)]"
      }
    }
    return escaped
  }
}
