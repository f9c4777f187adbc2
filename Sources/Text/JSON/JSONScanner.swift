import Files

/// Reads a JSON text (RFC 8259) step by step, without building a tree: for vocabularies, file headers and lines of
/// integers.
///
///     try scanner.beginObject()
///     while try scanner.nextKey(into: &key) {
///       …                                   // read or skip exactly one value
///     }
///     try scanner.finish()
///
/// The scanner is strict: it checks UTF-8 and escapes, numbers follow JSON's grammar (no NaN), and nothing may follow
/// the value. Callers check for duplicate keys, as only they know which keys they keep. The bytes must outlive the
/// scanner.
package struct JSONScanner {
  /// The deepest nesting accepted, so that a hostile text cannot exhaust the stack.
  package static let maximumDepth = 128

  /// The kind of a value, by its first byte.
  package enum Kind: Sendable {
    /// `{…}`, `[…]`, a string, a number, true or false, null.
    case object, array, string, number, bool, null
  }

  package let bytes: UnsafeBufferPointer<UInt8>
  package let file: String?
  package let firstLine: Int
  /// Whether a lone surrogate from U+DC80 to U+DCFF represents a byte of a path (`JSONWriter.escapesPathBytes`). If
  /// not, it is an error.
  let readsPathBytes: Bool
  /// The offset of the next byte.
  package private(set) var offset = 0
  package var depth = 0
  /// Whether an opening bracket was read last, so that no comma is expected.
  var justOpened = false

  /// - Parameters:
  ///   - file: the name of the file, for errors.
  ///   - firstLine: the number of the text's first line, if the text is part of a file.
  ///   - withPaths: whether strings may be paths that are not UTF-8 (`JSONWriter`).
  package init(
    _ bytes: UnsafeBufferPointer<UInt8>, file: String? = nil, firstLine: Int = 1, withPaths: Bool = false
  ) {
    readsPathBytes = withPaths
    self.bytes = bytes
    self.file = file
    self.firstLine = firstLine
  }

  // MARK: Structure

  /// The kind of the next value. Skips only white space.
  package mutating func peek() throws(JSONError) -> Kind {
    switch try nextByte(expected: "a value") {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
    case UInt8(ascii: "n"): return .null
    case let byte: throw error(.unexpected(byte, expected: "a value"))
    }
  }

  /// Reads the opening brace of an object.
  package mutating func beginObject() throws(JSONError) {
    try expect(UInt8(ascii: "{"), "an object")
    try open()
  }

  /// Reads the opening bracket of an array.
  package mutating func beginArray() throws(JSONError) {
    try expect(UInt8(ascii: "["), "an array")
    try open()
  }

  /// Reads the next key of the innermost object as UTF-8 into `key`, and its colon. At the end of the object, reads the
  /// closing brace and returns false.
  package mutating func nextKey(into key: inout [UInt8]) throws(JSONError) -> Bool {
    var byte = try nextByte(expected: "'}'")
    if byte == UInt8(ascii: "}") {
      close()
      return false
    }
    if !justOpened {
      guard byte == UInt8(ascii: ",") else { throw error(.unexpected(byte, expected: "',' or '}'")) }
      offset += 1
      byte = try nextByte(expected: "a key")
    }
    guard byte == UInt8(ascii: "\"") else { throw error(.unexpected(byte, expected: "a key")) }
    try string(into: &key)
    try expect(UInt8(ascii: ":"), "':'")
    return true
  }

  /// Moves to the next element of the innermost array. At the end of the array, reads the closing bracket and returns
  /// false.
  package mutating func nextElement() throws(JSONError) -> Bool {
    let byte = try nextByte(expected: "']'")
    if byte == UInt8(ascii: "]") {
      close()
      return false
    }
    if !justOpened {
      guard byte == UInt8(ascii: ",") else { throw error(.unexpected(byte, expected: "',' or ']'")) }
      offset += 1
      let next = try nextByte(expected: "a value")
      if next == UInt8(ascii: "]") { throw error(.unexpected(next, expected: "a value")) }
    }
    justOpened = false
    return true
  }

  /// Checks that only white space is left.
  package mutating func finish() throws(JSONError) {
    skipWhitespace()
    if offset < bytes.count { throw error(.contentAfterEnd) }
  }

  // MARK: Values

  /// Reads a string into `text`, whose content it replaces.
  package mutating func string(into text: inout [UInt8]) throws(JSONError) {
    try expect(UInt8(ascii: "\""), "a string")
    justOpened = false
    text.removeAll(keepingCapacity: true)
    while true {
      let start = offset
      var at = offset
      while at < bytes.count {
        let byte = bytes[at]
        if byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
        at += 1
      }
      text.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<at]))
      offset = at
      guard at < bytes.count else { throw error(.unexpectedEnd(expected: "'\"'")) }
      switch bytes[at] {
      case UInt8(ascii: "\""):
        offset = at + 1
        return
      case UInt8(ascii: "\\"):
        offset = at + 1
        try escape(into: &text)
      case let byte where byte < 0x20:
        throw error(.controlCharacter(byte))
      default:
        let length = UTF8Validation.length(bytes, at: at)
        guard length > 0 else { throw error(.invalidUTF8) }
        text.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[at..<at + length]))
        offset = at + length
      }
    }
  }

  /// Reads a string.
  package mutating func string() throws(JSONError) -> String {
    var text: [UInt8] = []
    try string(into: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads an integer; `7.0` and `1e3` are integers too.
  package mutating func integer() throws(JSONError) -> Int {
    let start = offset
    skipWhitespace()
    // The usual case: a short run of digits.
    var at = offset
    let isNegative = at < bytes.count && bytes[at] == UInt8(ascii: "-")
    if isNegative { at += 1 }
    let first = at
    var value = 0
    while at < bytes.count, at - first < 18, case let digit = bytes[at] &- UInt8(ascii: "0"), digit < 10 {
      value = value &* 10 &+ Int(digit)
      at += 1
    }
    let isPlain = at > first && (at - first == 1 || bytes[first] != UInt8(ascii: "0"))
    if isPlain, at == bytes.count || !Self.continuesNumber(bytes[at]) {
      offset = at
      justOpened = false
      return isNegative ? -value : value
    }
    offset = start
    let range = try numberRange()
    let text = String(decoding: bytes[range], as: UTF8.self)
    if let value = Int(text) { return value }
    guard let double = Double(text), let value = Int(exactly: double) else {
      offset = range.lowerBound
      throw error(.notAnInteger)
    }
    return value
  }

  /// Reads a number as the nearest Double; infinity if it overflows.
  package mutating func number() throws(JSONError) -> Double {
    let range = try numberRange()
    return Double(String(decoding: bytes[range], as: UTF8.self)) ?? .nan
  }

  /// Reads true or false.
  package mutating func bool() throws(JSONError) -> Bool {
    let isTrue = try nextByte(expected: "true or false") == UInt8(ascii: "t")
    try word(isTrue ? "true" : "false")
    return isTrue
  }

  /// Reads null.
  package mutating func null() throws(JSONError) {
    _ = try nextByte(expected: "null")
    try word("null")
  }

  /// Skips a value of any kind.
  package mutating func skipValue() throws(JSONError) {
    var text: [UInt8] = []
    try skipValue(&text)
  }

  private mutating func skipValue(_ text: inout [UInt8]) throws(JSONError) {
    switch try peek() {
    case .object:
      try beginObject()
      while try nextKey(into: &text) { try skipValue(&text) }
    case .array:
      try beginArray()
      while try nextElement() { try skipValue(&text) }
    case .string: try string(into: &text)
    case .number: _ = try numberRange()
    case .bool: _ = try bool()
    case .null: try null()
    }
  }

  /// An error at the offset of the next byte, also for problems that callers find.
  package func error(_ problem: JSONError.Problem) -> JSONError {
    let end = min(offset, bytes.count)
    var line = firstLine
    for index in 0..<end where bytes[index] == UInt8(ascii: "\n") { line += 1 }
    // If not even the first two bytes are JSON, the file may have another format.
    if end < 2, firstLine == 1, let format = ForeignFormat(UnsafeRawBufferPointer(bytes)) {
      return JSONError(.foreign(format), offset: 0, line: 1, file: file)
    }
    return JSONError(problem, offset: end, line: line, file: file)
  }

  // MARK: Pieces

  mutating func skipWhitespace() {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x20, 0x0A, 0x0D, 0x09: offset += 1
      default: return
      }
    }
  }

  mutating func nextByte(expected: String) throws(JSONError) -> UInt8 {
    skipWhitespace()
    guard offset < bytes.count else { throw error(.unexpectedEnd(expected: expected)) }
    return bytes[offset]
  }

  mutating func expect(_ wanted: UInt8, _ name: String) throws(JSONError) {
    let byte = try nextByte(expected: name)
    guard byte == wanted else { throw error(.unexpected(byte, expected: name)) }
    offset += 1
  }

  package mutating func open() throws(JSONError) {
    guard depth < Self.maximumDepth else { throw error(.tooDeep(limit: Self.maximumDepth)) }
    depth += 1
    justOpened = true
  }

  package mutating func close() {
    offset += 1
    depth -= 1
    justOpened = false
  }

  package mutating func word(_ word: StaticString) throws(JSONError) {
    let name = "\(word)"
    for byte in name.utf8 {
      guard offset < bytes.count else { throw error(.unexpectedEnd(expected: name)) }
      guard bytes[offset] == byte else { throw error(.unexpected(bytes[offset], expected: name)) }
      offset += 1
    }
    justOpened = false
  }

  static func continuesNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): true
    default: false
    }
  }

  /// Reads a number by JSON's grammar and returns the range of its literal.
  mutating func numberRange() throws(JSONError) -> Range<Int> {
    let byte = try nextByte(expected: "a number")
    let start = offset
    func isDigit(_ at: Int) -> Bool { at < bytes.count && bytes[at] &- UInt8(ascii: "0") < 10 }
    var at = start
    if byte == UInt8(ascii: "-") { at += 1 }
    guard isDigit(at) else {
      if at > start { throw error(.malformedNumber) }
      throw error(.unexpected(byte, expected: "a number"))
    }
    if bytes[at] == UInt8(ascii: "0") { at += 1 } else { while isDigit(at) { at += 1 } }
    if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
      at += 1
      guard isDigit(at) else { throw error(.malformedNumber) }
      while isDigit(at) { at += 1 }
    }
    if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
      at += 1
      if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
      guard isDigit(at) else { throw error(.malformedNumber) }
      while isDigit(at) { at += 1 }
    }
    if isDigit(at) { throw error(.malformedNumber) }  // a leading zero
    offset = at
    justOpened = false
    return start..<at
  }

  package mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    guard offset < bytes.count else { throw error(.unexpectedEnd(expected: "an escape")) }
    let byte = bytes[offset]
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var value = try hexadecimal()
      if value >> 10 == 0xD800 >> 10 {
        guard offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"), bytes[offset + 1] == UInt8(ascii: "u")
        else { throw error(.loneSurrogate) }
        offset += 2
        let low = try hexadecimal()
        guard low >> 10 == 0xDC00 >> 10 else { throw error(.loneSurrogate) }
        value = 0x10000 + (value & 0x3FF) << 10 + low & 0x3FF
      }
      let pathByte = readsPathBytes && (0xDC80...0xDCFF).contains(value) ? PathByte.scalar(UInt8(value & 0xFF)) : nil
      guard let scalar = pathByte ?? UnicodeScalar(value) else { throw error(.loneSurrogate) }
      text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    default:
      offset -= 1
      throw error(.invalidEscape)
    }
  }

  package mutating func hexadecimal() throws(JSONError) -> UInt32 {
    guard offset + 4 <= bytes.count else { throw error(.invalidEscape) }
    var value: UInt32 = 0
    for index in offset..<offset + 4 {
      let digit: UInt8
      switch bytes[index] {
      case let byte where byte &- UInt8(ascii: "0") < 10: digit = byte - UInt8(ascii: "0")
      case let byte where (byte | 0x20) &- UInt8(ascii: "a") < 6: digit = (byte | 0x20) - UInt8(ascii: "a") + 10
      default: throw error(.invalidEscape)
      }
      value = value << 4 | UInt32(digit)
    }
    offset += 4
    return value
  }
}
