import Files

/// An error in a JSON text, with its location.
package struct JSONError: ModelError, Equatable {
  /// The kinds of errors in a text.
  package enum Problem: Sendable, Equatable {
    /// The text ends too early. `expected` describes what is missing.
    case unexpectedEnd(expected: String)
    /// An unexpected byte.
    case unexpected(UInt8, expected: String)
    /// A string with invalid UTF-8.
    case invalidUTF8
    /// A `\` in a string that does not begin one of JSON's escapes.
    case invalidEscape
    /// Half of a surrogate pair.
    case loneSurrogate
    /// An unescaped control character in a string.
    case controlCharacter(UInt8)
    /// A number that does not follow JSON's grammar.
    case malformedNumber
    /// A number that is not an integer, or out of range.
    case notAnInteger
    /// A duplicate key in one object.
    case duplicateKey(String)
    /// Too many levels of nesting.
    case tooDeep(limit: Int)
    /// Text after the value.
    case contentAfterEnd
    /// A file in another format, recognized by its first bytes.
    case foreign(ForeignFormat)
  }

  /// The problem.
  package var problem: Problem
  /// The offset in bytes from the start of the text.
  package var offset: Int
  /// The line, counted from 1.
  package var line: Int
  /// The file, if the text comes from one.
  package var file: String?

  /// An error with its location.
  package init(_ problem: Problem, offset: Int, line: Int, file: String? = nil) {
    self.problem = problem
    self.offset = offset
    self.line = line
    self.file = file
  }

  package var kind: ErrorKind { .directory }
  package var message: String {
    if case .foreign(let format) = problem { return "this is \(format.what)" }
    return "invalid JSON: \(what), at byte \(offset)" + (file == nil ? " of line \(line)" : "")
  }

  package var hint: String? { if case .foreign(let format) = problem { format.remedy } else { nil } }

  package var location: DataLocation? { file.map { DataLocation(file: $0, line: line) } }

  package var what: String {
    switch problem {
    case .unexpectedEnd(let expected): "expected \(expected) but the text ends"
    case .unexpected(let byte, let expected): "expected \(expected) but found \(Self.name(byte))"
    case .invalidUTF8: "invalid UTF-8 in a string"
    case .invalidEscape: "unknown escape in a string"
    case .loneSurrogate: "half of a surrogate pair in a string"
    case .controlCharacter(let byte): "unescaped control character \(Self.name(byte)) in a string"
    case .malformedNumber: "malformed number"
    case .notAnInteger: "not a whole number in range"
    case .duplicateKey(let key): "duplicate key '\(key)'"
    case .tooDeep(let limit): "more than \(limit) levels of nesting"
    case .contentAfterEnd: "unexpected text after the value"
    case .foreign(let format): format.what
    }
  }

  package static func name(_ byte: UInt8) -> String {
    if byte > 0x20 && byte < 0x7F { return "'\(Character(UnicodeScalar(byte)))'" }
    let digits = String(byte, radix: 16, uppercase: true)
    return "byte 0x" + (digits.utf8.count < 2 ? "0" : "") + digits
  }
}
