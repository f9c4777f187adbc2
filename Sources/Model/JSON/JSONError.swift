/// What is wrong with a JSON text, and where.
public struct JSONError: ModelError, Equatable {
  public enum Problem: Sendable, Equatable {
    case unexpectedEnd(expected: String)
    case unexpected(UInt8, expected: String)
    case invalidUTF8
    case invalidEscape
    case loneSurrogate
    case controlCharacter(UInt8)
    case malformedNumber
    /// A number where a whole number that fits is needed.
    case notAnInteger
    case duplicateKey(String)
    case tooDeep(limit: Int)
    case contentAfterEnd
  }

  public var problem: Problem
  /// Bytes from the start of the text.
  public var offset: Int
  /// Counted from 1.
  public var line: Int
  /// The file, where the text came from one.
  public var file: String?

  public init(_ problem: Problem, offset: Int, line: Int, file: String? = nil) {
    self.problem = problem
    self.offset = offset
    self.line = line
    self.file = file
  }

  public var message: String {
    "invalid JSON: \(what), at byte \(offset)" + (file == nil ? " of line \(line)" : "")
  }

  public var location: DataLocation? { file.map { DataLocation(file: $0, line: line) } }

  var what: String {
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
    }
  }

  static func name(_ byte: UInt8) -> String {
    if byte > 0x20 && byte < 0x7F { return "'\(Character(UnicodeScalar(byte)))'" }
    let digits = String(byte, radix: 16, uppercase: true)
    return "byte 0x" + (digits.utf8.count < 2 ? "0" : "") + digits
  }
}
