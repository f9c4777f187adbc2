import Model
import Text

/// Any text as a part of a Markdown document.
enum Markdown {
  /// In a line of prose: no character of it is markup.
  static func escaped(_ text: String) -> String {
    Printable.oneLine(text).map { "\\`*_{}[]<>()#+!|~&".contains($0) ? "\\\($0)" : String($0) }.joined()
  }

  /// As code within a line.
  static func code(_ text: String) -> String {
    let line = Printable.oneLine(text)
    let ticks = String(repeating: "`", count: longestRun(of: "`", in: line) + 1)
    let room = line.hasPrefix("`") || line.hasSuffix("`") ? " " : ""
    return ticks + room + line + room + ticks
  }

  /// Lines of code.
  static func block(_ text: String, language: String) -> String {
    let fence = String(repeating: "`", count: max(3, longestRun(of: "`", in: text) + 1))
    return "\(fence)\(language)\n\(text)\n\(fence)"
  }

  /// A string of the front matter, in quotes where it could be read as something else.
  static func yaml(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      byte &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "A") < 26 || "-_./".utf8.contains(byte)
        || byte &- UInt8(ascii: "0") < 10
    }
    let first = text.utf8.first ?? 0
    let isWord = first &- UInt8(ascii: "a") < 26 || first &- UInt8(ascii: "A") < 26
    // "no", the code of Norwegian, would be read as false.
    let isTaken = ["no", "yes", "on", "off", "true", "false", "null", "y", "n"].contains(text.lowercased())
    if isPlain, isWord, !isTaken { return text }
    return String(decoding: JSONValue.string(Printable.oneLine(text)).serialized(.compact), as: UTF8.self)
  }

  /// A string literal of Python.
  static func pythonString(_ text: String) -> String {
    // Of a path that is not UTF-8 this is the string Python itself makes of it.
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
