/// A JSON value as a tree, for small files: configurations, indices, registries.
///
/// Objects keep the order of their keys and numbers their literal, so that what is not understood is written back as it was read.
/// Keys are compared by their bytes, not by canonical equivalence.
package enum JSONValue: Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// The nearest Double (infinite where it overflows), and the number as it was spelled.
  case number(Double, literal: String)
  /// Text, its escapes undone.
  case string(String)
  /// Values in their order.
  case array([JSONValue])
  /// Keys and values in their order.
  case object([(key: String, value: JSONValue)])

  /// A whole number.
  package static func number(_ value: Int) -> JSONValue { .number(Double(value), literal: String(value)) }
  /// A number in the shortest spelling that reads back the same. It must be finite to be JSON.
  package static func number(_ value: Double) -> JSONValue { .number(value, literal: FloatText.shortest(value)) }

  // MARK: Reading

  /// Parses one value with nothing but white space around it. Duplicate keys are an error.
  /// - Parameters:
  ///   - file: named in errors.
  ///   - withPaths: strings may be paths that are not UTF-8 (`JSONWriter`).
  package static func parse(
    _ bytes: UnsafeBufferPointer<UInt8>, file: String? = nil, withPaths: Bool = false
  ) throws(JSONError) -> JSONValue {
    var scanner = JSONScanner(bytes, file: file, withPaths: withPaths)
    let value = try scanner.value()
    try scanner.finish()
    return value
  }

  /// The same, of bytes in an array.
  package static func parse(
    _ bytes: [UInt8], file: String? = nil, withPaths: Bool = false
  ) throws(JSONError) -> JSONValue {
    let result = bytes.withUnsafeBufferPointer { buffer in
      Result { () throws(JSONError) in try parse(buffer, file: file, withPaths: withPaths) }
    }
    return try result.get()
  }

  // MARK: Access

  /// The value of a key of an object; nil where there is none, or this is not an object.
  package subscript(_ key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    for member in members where member.key.hasSameBytes(as: key) { return member.value }
    return nil
  }

  /// Whether it is `null`.
  package var isNull: Bool { if case .null = self { true } else { false } }
  /// The truth value; nil for another kind.
  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The text; nil for another kind.
  package var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The number; nil for another kind.
  package var double: Double? { if case .number(let value, _) = self { value } else { nil } }
  /// The elements; nil for another kind.
  package var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
  /// Keys and values; nil for another kind.
  package var object: [(key: String, value: JSONValue)]? {
    if case .object(let members) = self { members } else { nil }
  }

  /// The number where it is whole and fits; exact also beyond 2⁵³.
  package var int: Int? {
    guard case .number(let value, let literal) = self else { return nil }
    return Int(literal) ?? Int(exactly: value)
  }

  /// What kind of value this is, for messages.
  package var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "a truth value"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }

  /// Sets a key of an object: in place where it exists, else at the end. Does nothing to other kinds of values.
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
  /// Equal in kind, order, spelling of numbers and bytes of strings.
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
  /// Equal byte by byte. `==` would merge canonically equivalent strings.
  package func hasSameBytes(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
