import Files

/// What is wrong with a JSON text, and where.
package struct JSONError: ModelError, Equatable {
  /// What can be wrong with a text.
  package enum Problem: Sendable, Equatable {
    /// The text ends, and what should stand there.
    case unexpectedEnd(expected: String)
    /// A byte, and what should stand there.
    case unexpected(UInt8, expected: String)
    /// A string that is not UTF-8.
    case invalidUTF8
    /// A `\` in a string, with what JSON does not have behind it.
    case invalidEscape
    /// Half of a surrogate pair.
    case loneSurrogate
    /// A control character in a string, unescaped.
    case controlCharacter(UInt8)
    /// What is not a number in JSON's grammar.
    case malformedNumber
    /// A number where a whole number that fits is needed.
    case notAnInteger
    /// A key that stands in one object twice.
    case duplicateKey(String)
    /// More levels of brackets than are read.
    case tooDeep(limit: Int)
    /// More text after the value.
    case contentAfterEnd
    /// A file of another kind, by its first bytes.
    case foreign(ForeignFormat)
  }

  /// What is wrong.
  package var problem: Problem
  /// Bytes from the start of the text.
  package var offset: Int
  /// Counted from 1.
  package var line: Int
  /// The file, where the text came from one.
  package var file: String?

  /// A problem and its place.
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
    case .unexpectedEnd(let expected): "the text ends where \(expected) should stand"
    case .unexpected(let byte, let expected): "\(Self.name(byte)) where \(expected) should stand"
    case .invalidUTF8: "a string that is not UTF-8"
    case .invalidEscape: "an unknown escape in a string"
    case .loneSurrogate: "half of a surrogate pair in a string"
    case .controlCharacter(let byte): "the control character \(Self.name(byte)) in a string, unescaped"
    case .malformedNumber: "a malformed number"
    case .notAnInteger: "a number that is not a whole number in range"
    case .duplicateKey(let key): "the key '\(key)' stands twice in one object"
    case .tooDeep(let limit): "more than \(limit) levels of brackets"
    case .contentAfterEnd: "more text after the value"
    case .foreign(let format): format.what
    }
  }

  package static func name(_ byte: UInt8) -> String {
    if byte > 0x20 && byte < 0x7F { return "'\(Character(UnicodeScalar(byte)))'" }
    let digits = String(byte, radix: 16, uppercase: true)
    return "byte 0x" + (digits.utf8.count < 2 ? "0" : "") + digits
  }
}
