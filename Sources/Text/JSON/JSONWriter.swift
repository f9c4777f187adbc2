import Files

/// Writes JSON as Python's `json.dump(…, ensure_ascii=False)` does: the files of other tools then differ from ours in no byte
/// that does not matter.
package struct JSONWriter {
  /// How the parts of an array or object are set apart.
  package enum Style: Sendable, Equatable {
    /// `{"a":1,"b":[1,2]}`
    case compact
    /// `{"a": 1, "b": [1, 2]}`, what Python writes without `indent`.
    case spaced
    /// One element a line, indented by this many spaces a level, what Python writes with `indent`.
    case indented(Int)
  }

  /// What was written so far.
  package var bytes: [UInt8] = []
  /// Whether strings are paths, or have no private-use characters: a byte of a path that is not UTF-8 is written as Python's
  /// `os.fsdecode` and `json.dump` have it, 0xE9 as `\udce9`.
  package let escapesPathBytes: Bool
  /// Whether U+007F to U+009F and what turns the direction of writing are escaped, as the controls of ASCII are: for a terminal.
  package let escapesAllControls: Bool

  /// A writer of nothing yet.
  package init(escapesPathBytes: Bool = false, escapesAllControls: Bool = false) {
    self.escapesPathBytes = escapesPathBytes
    self.escapesAllControls = escapesAllControls
  }

  /// Writes a value of any kind. `level`: how deep it stands, where lines are indented.
  package mutating func append(_ value: JSONValue, style: Style = .spaced, level: Int = 0) {
    switch value {
    case .null: append(raw: "null")
    case .bool(let value): append(raw: value ? "true" : "false")
    case .number(_, let literal): append(raw: literal)
    case .string(let value): append(string: value)
    case .array(let elements):
      append("[", "]", count: elements.count, style, level) { writer, index in
        writer.append(elements[index], style: style, level: level + 1)
      }
    case .object(let members):
      append("{", "}", count: members.count, style, level) { writer, index in
        writer.append(string: members[index].key)
        writer.append(raw: style == .compact ? ":" : ": ")
        writer.append(members[index].value, style: style, level: level + 1)
      }
    }
  }

  /// Text that is JSON already.
  package mutating func append(raw text: String) { bytes.append(contentsOf: text.utf8) }

  /// Writes a whole number.
  package mutating func append(_ value: Int) { append(raw: String(value)) }

  /// A number of that many significant digits; `null` where it is not finite, since JSON has no word for that.
  package mutating func append(_ value: Float, significantDigits: Int = 9) {
    append(raw: value.isFinite ? FloatText.significant(Double(value), digits: significantDigits) : "null")
  }

  /// A string in quotes. Only what must be is escaped.
  package mutating func append(string: String) {
    bytes.append(UInt8(ascii: "\""))
    var string = string
    if escapesPathBytes, string.unicodeScalars.contains(where: { PathByte.value(of: $0) != nil }) {
      for scalar in string.unicodeScalars {
        if let byte = PathByte.value(of: scalar) {
          append(raw: "\\udc" + String(byte, radix: 16))
        } else {
          var text = String(scalar)
          text.withUTF8 { append(escaped: $0) }
        }
      }
    } else {
      string.withUTF8 { append(escaped: $0) }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// The inside of a string, from valid UTF-8.
  package mutating func append(escaped text: UnsafeBufferPointer<UInt8>) {
    var last: (before: UInt8, byte: UInt8) = (0, 0)
    for byte in text {
      defer { last = (last.byte, byte) }
      if escapesAllControls, let value = Self.control(last.before, last.byte, byte) {
        // The first bytes of the character are there already.
        bytes.removeLast(value < 0x80 ? 0 : value < 0x800 ? 1 : 2)
        append(raw: value < 0x100 ? "\\u00" : "\\u")
        append(raw: String(value, radix: 16))
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): append(raw: "\\\"")
      case UInt8(ascii: "\\"): append(raw: "\\\\")
      case 0x08: append(raw: "\\b")
      case 0x09: append(raw: "\\t")
      case 0x0A: append(raw: "\\n")
      case 0x0C: append(raw: "\\f")
      case 0x0D: append(raw: "\\r")
      case 0..<0x20:
        append(raw: byte < 0x10 ? "\\u000" : "\\u00")
        append(raw: String(byte, radix: 16))
      default: bytes.append(byte)
      }
    }
  }

  /// The character that ends with the last of these bytes, where it is a control beyond those of ASCII's first 32.
  private static func control(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> UInt32? {
    switch (first, second, third) {
    case (_, _, 0x7F): 0x7F
    case (_, 0xC2, 0x80...0x9F): UInt32(third)
    case (0xE2, 0x80, 0xA8...0xAE), (0xE2, 0x81, 0xA6...0xA9):
      UInt32(0x2000) | UInt32(second & 0x3F) << 6 | UInt32(third & 0x3F)
    default: nil
    }
  }

  private mutating func append(
    _ open: String, _ close: String, count: Int, _ style: Style, _ level: Int,
    element: (inout JSONWriter, Int) -> Void
  ) {
    append(raw: open)
    for index in 0..<count {
      if index > 0 { append(raw: style == .spaced ? ", " : ",") }
      newLine(style, level + 1)
      element(&self, index)
    }
    if count > 0 { newLine(style, level) }
    append(raw: close)
  }

  private mutating func newLine(_ style: Style, _ level: Int) {
    guard case .indented(let width) = style else { return }
    bytes.append(UInt8(ascii: "\n"))
    for _ in 0..<width * level { bytes.append(UInt8(ascii: " ")) }
  }
}

extension JSONValue {
  /// The value as JSON text.
  ///
  /// - Parameter withPaths: see `JSONWriter.escapesPathBytes`.
  package func serialized(
    _ style: JSONWriter.Style = .spaced, endingInNewline: Bool = false, withPaths: Bool = false
  ) -> [UInt8] {
    var writer = JSONWriter(escapesPathBytes: withPaths)
    writer.append(self, style: style)
    if endingInNewline { writer.bytes.append(UInt8(ascii: "\n")) }
    return writer.bytes
  }

  /// With `indent` as Python's `json.dump(indent:)`; without as its default.
  package func serialized(indent: Int?) -> [UInt8] { serialized(indent.map { .indented($0) } ?? .spaced) }
}
