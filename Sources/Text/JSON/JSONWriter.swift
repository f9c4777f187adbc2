import Files

/// Writes JSON as Python's `json.dump(…, ensure_ascii=False)` does, so that files differ from those of other tools only
/// in content.
package struct JSONWriter {
  /// The layout of arrays and objects.
  package enum Style: Sendable, Equatable {
    /// `{"a":1,"b":[1,2]}`
    case compact
    /// `{"a": 1, "b": [1, 2]}`, as Python writes without `indent`.
    case spaced
    /// One element per line, indented by this many spaces per level, as Python writes with `indent`.
    case indented(Int)
  }

  /// The bytes written so far.
  package var bytes: [UInt8] = []
  /// Whether strings are paths (or have no private-use characters). Bytes of paths that are not UTF-8 are written as by
  /// Python's `os.fsdecode` and `json.dump`: 0xE9 as `\udce9`.
  package let escapesPathBytes: Bool
  /// Whether U+007F to U+009F and characters that change the writing direction are escaped, like ASCII's control
  /// characters, so that a terminal can show the text.
  package let escapesAllControls: Bool

  /// An empty writer.
  package init(escapesPathBytes: Bool = false, escapesAllControls: Bool = false) {
    self.escapesPathBytes = escapesPathBytes
    self.escapesAllControls = escapesAllControls
  }

  /// Writes a value of any kind. `level`: its nesting level, for indented lines.
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

  /// Writes text that is JSON already.
  package mutating func append(raw text: String) { bytes.append(contentsOf: text.utf8) }

  /// Writes an integer.
  package mutating func append(_ value: Int) { append(raw: String(value)) }

  /// Writes a number with the given significant digits; `null` if it is not finite, which JSON cannot express.
  package mutating func append(_ value: Float, significantDigits: Int = 9) {
    append(raw: value.isFinite ? FloatText.significant(Double(value), digits: significantDigits) : "null")
  }

  /// Writes a string in quotes, with only the necessary escapes.
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

  /// Writes the content of a string, which must be valid UTF-8.
  package mutating func append(escaped text: UnsafeBufferPointer<UInt8>) {
    var last: (before: UInt8, byte: UInt8) = (0, 0)
    for byte in text {
      defer { last = (last.byte, byte) }
      if escapesAllControls, let value = Self.control(last.before, last.byte, byte) {
        // The first bytes of the character are already written.
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

  /// The character that ends with the last of these bytes, if it is a control character other than ASCII's first 32.
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

  /// The value as JSON text in the layout of Python's `json.dump(indent:)`; nil: its default.
  package func serialized(indent: Int?) -> [UInt8] { serialized(indent.map { .indented($0) } ?? .spaced) }
}
