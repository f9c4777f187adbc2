import Model
import Text

/// Escapes text for a Markdown document.
enum Markdown {
  /// Text in a line of prose, with all markup escaped.
  static func escaped(_ text: String) -> String {
    Printable.oneLine(text).map { "\\`*_{}[]<>()#+!|~&".contains($0) ? "\\\($0)" : String($0) }.joined()
  }

  /// Text as inline code.
  static func code(_ text: String) -> String {
    let line = Printable.oneLine(text)
    let ticks = String(repeating: "`", count: longestRun(of: "`", in: line) + 1)
    let room = line.hasPrefix("`") || line.hasSuffix("`") ? " " : ""
    return ticks + room + line + room + ticks
  }

  /// A code block.
  static func block(_ text: String, language: String) -> String {
    let fence = String(repeating: "`", count: max(3, longestRun(of: "`", in: text) + 1))
    return "\(fence)\(language)\n\(text)\n\(fence)"
  }

  /// A string in the front matter, quoted if YAML would read it as something else.
  static func yaml(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      byte &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "A") < 26 || "-_./".utf8.contains(byte)
        || byte &- UInt8(ascii: "0") < 10
    }
    let first = text.utf8.first ?? 0
    let isWord = first &- UInt8(ascii: "a") < 26 || first &- UInt8(ascii: "A") < 26
    // YAML would read "no", the code of Norwegian, as false.
    let isTaken = ["no", "yes", "on", "off", "true", "false", "null", "y", "n"].contains(text.lowercased())
    if isPlain, isWord, !isTaken { return text }
    return String(decoding: JSONValue.string(Printable.oneLine(text)).serialized(.compact), as: UTF8.self)
  }

  /// A string literal of Python.
  static func pythonString(_ text: String) -> String {
    // For a path that is not UTF-8, this is the string that Python makes of it.
    String(decoding: JSONValue.string(text).serialized(.compact, withPaths: true), as: UTF8.self)
  }

  private static func longestRun(of character: Character, in text: String) -> Int {
    var (longest, run) = (0, 0)
    for other in text {
      run = other == character ? run + 1 : 0
      longest = max(longest, run)
    }
    return longest
  }
}
