/// A JSON value as a tree, for small files: configurations, indices, registries.
///
/// Objects keep the order of their keys, and numbers keep their literals, so that unknown parts are written back as
/// they were read. Keys are compared by their bytes, not by canonical equivalence.
package enum JSONValue: Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number as the nearest Double (infinity if it overflows), and its literal.
  case number(Double, literal: String)
  /// A string, with its escapes decoded.
  case string(String)
  /// Values in order.
  case array([JSONValue])
  /// Keys and values in order.
  case object([(key: String, value: JSONValue)])

  /// An integer.
  package static func number(_ value: Int) -> JSONValue { .number(Double(value), literal: String(value)) }
  /// A number, with the shortest literal that reads back as the same value. JSON requires that it is finite.
  package static func number(_ value: Double) -> JSONValue { .number(value, literal: FloatText.shortest(value)) }

  // MARK: Reading

  /// Parses one value, with only white space around it. Duplicate keys are an error.
  /// - Parameters:
  ///   - file: the name of the file, for errors.
  ///   - withPaths: whether strings may be paths that are not UTF-8 (`JSONWriter`).
  package static func parse(
    _ bytes: UnsafeBufferPointer<UInt8>, file: String? = nil, withPaths: Bool = false
  ) throws(JSONError) -> JSONValue {
    var scanner = JSONScanner(bytes, file: file, withPaths: withPaths)
    let value = try scanner.value()
    try scanner.finish()
    return value
  }

  /// Parses one value from an array of bytes.
  package static func parse(
    _ bytes: [UInt8], file: String? = nil, withPaths: Bool = false
  ) throws(JSONError) -> JSONValue {
    let result = bytes.withUnsafeBufferPointer { buffer in
      Result { () throws(JSONError) in try parse(buffer, file: file, withPaths: withPaths) }
    }
    return try result.get()
  }

  // MARK: Access

  /// The value of a key; nil if the key is missing or this is not an object.
  package subscript(_ key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    for member in members where member.key.hasSameBytes(as: key) { return member.value }
    return nil
  }

  /// Whether the value is `null`.
  package var isNull: Bool { if case .null = self { true } else { false } }
  /// The Boolean value; nil for other kinds.
  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The string; nil for other kinds.
  package var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The number; nil for other kinds.
  package var double: Double? { if case .number(let value, _) = self { value } else { nil } }
  /// The elements; nil for other kinds.
  package var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
  /// The keys and values; nil for other kinds.
  package var object: [(key: String, value: JSONValue)]? {
    if case .object(let members) = self { members } else { nil }
  }

  /// The number as an integer, exact beyond 2⁵³ too; nil for other kinds, fractions, and numbers out of range.
  package var int: Int? {
    guard case .number(let value, let literal) = self else { return nil }
    return Int(literal) ?? Int(exactly: value)
  }

  /// The kind of the value, for messages.
  package var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "a Boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }

  /// Sets the value of a key of an object, or appends the key if it is missing. Does nothing to other kinds of values.
  package mutating func set(_ key: String, _ value: JSONValue) {
    guard case .object(var members) = self else { return }
    if let index = members.firstIndex(where: { $0.key.hasSameBytes(as: key) }) {
      members[index].value = value
    } else {
      members.append((key, value))
    }
    self = .object(members)
  }
}

extension JSONValue: Equatable {
  /// Whether two values have the same kind, order, number literals and string bytes.
  package static func == (a: JSONValue, b: JSONValue) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.number(_, let a), .number(_, let b)): a == b
    case (.string(let a), .string(let b)): a.hasSameBytes(as: b)
    case (.array(let a), .array(let b)): a == b
    case (.object(let a), .object(let b)):
      a.elementsEqual(b) { $0.key.hasSameBytes(as: $1.key) && $0.value == $1.value }
    default: false
    }
  }
}

extension JSONScanner {
  /// Reads a value of any kind as a tree. Duplicate keys are an error.
  package mutating func value() throws(JSONError) -> JSONValue {
    switch try peek() {
    case .null:
      try null()
      return .null
    case .bool: return .bool(try bool())
    case .string: return .string(try string())
    case .number:
      let range = try numberRange()
      let literal = String(decoding: bytes[range], as: UTF8.self)
      return .number(Double(literal) ?? .nan, literal: literal)
    case .array:
      try beginArray()
      var elements: [JSONValue] = []
      while try nextElement() { elements.append(try value()) }
      return .array(elements)
    case .object:
      try beginObject()
      var members: [(key: String, value: JSONValue)] = []
      var seen: Set<[UInt8]> = []
      var key: [UInt8] = []
      while try nextKey(into: &key) {
        let name = String(decoding: key, as: UTF8.self)
        guard seen.insert(key).inserted else { throw error(.duplicateKey(name)) }
        members.append((name, try value()))
      }
      return .object(members)
    }
  }
}

extension String {
  /// Whether two strings have the same bytes. `==` also accepts canonically equivalent strings.
  package func hasSameBytes(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
