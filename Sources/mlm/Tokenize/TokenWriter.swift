import Files
import Model
import Text

/// Formats the output of `tokenize` for one input.
struct TokenWriter {
  let tokenizer: WordPieceTokenizer
  let format: TokenizeOptions.Format
  let addsSpecialTokens: Bool
  let specialTokensInText: WordPieceTokenizer.SpecialTokensInText
  /// The [UNK] tokens of all texts so far.
  private(set) var unknown: UnknownTokens

  init(
    tokenizer: WordPieceTokenizer, format: TokenizeOptions.Format, addsSpecialTokens: Bool,
    specialTokensInText: WordPieceTokenizer.SpecialTokensInText
  ) {
    (self.tokenizer, self.format, self.addsSpecialTokens) = (tokenizer, format, addsSpecialTokens)
    self.specialTokensInText = specialTokensInText
    unknown = UnknownTokens(tokenizer)
  }

  /// Returns the line for a text, without a newline.
  mutating func line(for text: [UInt8]) -> [UInt8] {
    let (ids, line): ([Int32], [UInt8])
    switch format {
    case .json:
      let encoding = text.withUnsafeBufferPointer {
        tokenizer.encodeWithOffsets($0, specialTokensInText: specialTokensInText)
      }
      (ids, line) = (encoding.ids, json(encoding))
    case .ids:
      ids = self.ids(text)
      line = joined(ids) { Self.append($0, to: &$1) }
    case .tokens:
      ids = self.ids(text)
      line = joined(ids) { $1 += Printable.text(tokenizer.vocabulary.bytes(of: Int($0))) }
    }
    text.withUnsafeBufferPointer { unknown.add(ids, of: $0, tokenizer, specialTokensInText: specialTokensInText) }
    return line
  }

  /// Returns the text for a line of ids separated by spaces or tabs.
  func text(ofIDs line: [UInt8], at location: @autoclosure () -> DataLocation) throws(InputProblem) -> [UInt8] {
    var ids: [Int32] = []
    for field in line.split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) {
      let text = String(decoding: field, as: UTF8.self)
      guard let id = Int(text) else { throw .notAnID(text, location()) }
      guard id >= 0, id < tokenizer.vocabulary.count else {
        throw .idOutOfRange(id, count: tokenizer.vocabulary.count, location())
      }
      ids.append(Int32(id))
    }
    return Array(Printable.text(tokenizer.decode(ids)).utf8)
  }

  private func ids(_ text: [UInt8]) -> [Int32] {
    var ids: [Int32] = []
    text.withUnsafeBufferPointer { tokenizer.encode($0, specialTokensInText: specialTokensInText, into: &ids) }
    return ids
  }

  private func joined(_ ids: [Int32], _ append: (Int32, inout [UInt8]) -> Void) -> [UInt8] {
    let special = tokenizer.specialTokens
    let ids = addsSpecialTokens ? [special.classification] + ids + [special.separator] : ids
    var line: [UInt8] = []
    line.reserveCapacity(ids.count * 6)
    for (index, id) in ids.enumerated() {
      if index > 0 { line.append(UInt8(ascii: " ")) }
      append(id, &line)
    }
    return line
  }

  /// Writes a non-negative id digit by digit. Making a String for each would take most of the time for a large file.
  private static func append(_ id: Int32, to line: inout [UInt8]) {
    var (divisor, rest) = (1 as Int32, id)
    while rest / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      line.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / divisor))
      rest %= divisor
      divisor /= 10
    }
  }

  /// `{"token_ids":[…],"tokens":[…],"offsets":[[b,e],…]}`. Added special tokens have the offsets [0,0], as in
  /// transformers.
  private func json(_ encoding: Encoding) -> [UInt8] {
    var encoding = encoding
    if addsSpecialTokens {
      encoding.ids.insert(tokenizer.specialTokens.classification, at: 0)
      encoding.offsets.insert(0..<0, at: 0)
      encoding.ids.append(tokenizer.specialTokens.separator)
      encoding.offsets.append(0..<0)
    }
    var json = JSONWriter(escapesAllControls: true)
    json.append(raw: "{\"token_ids\":[")
    for (index, id) in encoding.ids.enumerated() {
      if index > 0 { json.append(raw: ",") }
      json.append(Int(id))
    }
    json.append(raw: "],\"tokens\":[")
    for (index, id) in encoding.ids.enumerated() {
      json.append(raw: index > 0 ? ",\"" : "\"")
      json.append(escaped: tokenizer.vocabulary.bytes(of: Int(id)))
      json.append(raw: "\"")
    }
    json.append(raw: "],\"offsets\":[")
    for (index, range) in encoding.offsets.enumerated() {
      json.append(raw: index > 0 ? ",[" : "[")
      json.append(range.lowerBound)
      json.append(raw: ",")
      json.append(range.upperBound)
      json.append(raw: "]")
    }
    json.append(raw: "]}")
    return json.bytes
  }
}
