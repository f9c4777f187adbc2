/// A page of man(7), piece by piece.
struct Roff {
  private(set) var text = ""
  /// Whether nothing follows the last heading yet: a space would be too much there.
  private var isAfterHeading = false

  mutating func title(_ name: String, section: Int, date: String, source: String, manual: String) {
    text += ".TH \(name) \(section) \"\(date)\" \"\(source)\" \"\(manual)\"\n"
    // Words that are typed are not to be hyphenated, nor the spaces between them made wider.
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

  /// How commands are called, each on a line of its own with its name in bold.
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

  /// Lines that stay as they are.
  mutating func code(_ lines: [String]) {
    isAfterHeading = false
    let escaped = lines.map { Self.guarded(Self.escaped($0)) + "\n" }.joined()
    text += ".PP\n.RS 4\n.nf\n\(escaped).fi\n.RE\n"
  }

  /// Running text, in lines of the source that are not endless.
  private static func lines(_ words: String) -> String {
    Help.wrapped(escaped(words), indent: 0).split(separator: "\n").map { guarded(String($0)) + "\n" }.joined()
  }

  /// A line that begins with a dot or a quote would be a command to roff.
  private static func guarded(_ line: String) -> String {
    line.hasPrefix(".") || line.hasPrefix("'") || line.hasPrefix("\\(aq") ? "\\&" + line : line
  }

  /// What roff would take for something else, or print as another character: a dash as a hyphen, which cannot be
  /// copied.
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
      // Terminals without the character get something all the same.
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
