/// Writes JSON as Python's `json.dump(…, ensure_ascii=False)` does: the files of other tools then differ from ours in no byte
/// that does not matter.
public struct JSONWriter {
  /// How the parts of an array or object are set apart.
  public enum Style: Sendable, Equatable {
    /// `{"a":1,"b":[1,2]}`
    case compact
    /// `{"a": 1, "b": [1, 2]}`, what Python writes without `indent`.
    case spaced
    /// One element a line, indented by this many spaces a level, what Python writes with `indent`.
    case indented(Int)
  }

  /// What was written so far.
  public var bytes: [UInt8] = []

  /// A writer of nothing yet.
  public init() {}

  /// Writes a value of any kind. `level`: how deep it stands, where lines are indented.
  public mutating func append(_ value: JSONValue, style: Style = .spaced, level: Int = 0) {
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
  public mutating func append(raw text: String) { bytes.append(contentsOf: text.utf8) }

  /// Writes a whole number.
  public mutating func append(_ value: Int) { append(raw: String(value)) }

  /// A number of that many significant digits; `null` where it is not finite, since JSON has no word for that.
  public mutating func append(_ value: Float, significantDigits: Int = 9) {
    append(raw: value.isFinite ? FloatText.significant(Double(value), digits: significantDigits) : "null")
  }

  /// A string in quotes. Only what must be is escaped.
  public mutating func append(string: String) {
    bytes.append(UInt8(ascii: "\""))
    var string = string
    string.withUTF8 { append(escaped: $0) }
    bytes.append(UInt8(ascii: "\""))
  }

  /// The inside of a string, from valid UTF-8.
  public mutating func append(escaped text: UnsafeBufferPointer<UInt8>) {
    for byte in text {
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
  public func serialized(_ style: JSONWriter.Style = .spaced, endingInNewline: Bool = false) -> [UInt8] {
    var writer = JSONWriter()
    writer.append(self, style: style)
    if endingInNewline { writer.bytes.append(UInt8(ascii: "\n")) }
    return writer.bytes
  }

  /// With `indent` as Python's `json.dump(indent:)`; without as its default.
  public func serialized(indent: Int?) -> [UInt8] { serialized(indent.map { .indented($0) } ?? .spaced) }
}
