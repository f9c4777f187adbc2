import Files
import Model
import Text

/// Prints the answers of `predict` in the format that was asked for.
struct PredictionWriter {
  let format: PredictOptions.Format
  let output: Output
  let terminal: Terminal
  private var isFirst = true

  init(format: PredictOptions.Format, output: Output, terminal: Terminal) {
    self.format = format
    self.output = output
    self.terminal = terminal
  }

  mutating func write(_ answer: MaskAnswer, to input: InputLine) throws(OutputError) {
    defer { isFirst = false }
    switch (format, answer.result) {
    case (.json, .masks(let masks)): try writeJSON(masks)
    case (.json, .fillings(let fillings)): try writeJSON(fillings)
    case (.json, .failed(let error)): try writeJSON(error, line: input.number)
    case (.tsv, .masks(let masks)): try writeTSV(masks, input: input.number - 1)
    case (.tsv, .fillings(let fillings)): try writeTSV(fillings, input: input.number - 1)
    // A text that could not be filled passes as it is, so that lines stay in step; standard error names it.
    case (.fill, _): try output.write((answer.filled ?? input.bytes) + (input.hasReturn ? [0x0D, 0x0A] : [0x0A]))
    case (.text, .masks(let masks)): try writeText(masks, at: answer.places, input: input)
    case (.text, .fillings(let fillings)): try writeText(fillings, at: answer.places, input: input)
    case (.tsv, .failed), (.text, .failed): break
    }
  }

  // MARK: JSON

  /// Pieces of a vocabulary may be any characters, and a terminal may read the line.
  private var lineOfJSON: JSONWriter { JSONWriter(escapesAllControls: true) }

  /// With one mask an array of candidates, with several an array of such arrays: the fill-mask pipeline's schema.
  private func writeJSON(_ masks: [[MaskPrediction]]) throws(OutputError) {
    var json = lineOfJSON
    if masks.count == 1 {
      Self.append(masks[0], to: &json)
    } else {
      json.append(raw: "[")
      for (index, candidates) in masks.enumerated() {
        if index > 0 { json.append(raw: ",") }
        Self.append(candidates, to: &json)
      }
      json.append(raw: "]")
    }
    json.append(raw: "\n")
    try output.write(json.bytes)
  }

  private static func append(_ candidates: [MaskPrediction], to json: inout JSONWriter) {
    json.append(raw: "[")
    for (index, candidate) in candidates.enumerated() {
      json.append(raw: index > 0 ? ",{\"score\":" : "{\"score\":")
      json.append(candidate.score)
      append(candidate.tokens, to: &json)
      json.append(raw: ",\"token_str\":")
      json.append(string: candidate.tokenString)
      append(sequence: candidate.sequence, to: &json)
      json.append(raw: "}")
    }
    json.append(raw: "]")
  }

  /// `token` is a number, or null for several pieces, which are an array besides.
  private static func append(_ tokens: [Int32], to json: inout JSONWriter) {
    json.append(raw: ",\"token\":")
    if tokens.count == 1 { return json.append(Int(tokens[0])) }
    json.append(raw: "null,\"tokens\":")
    appendArray(tokens, to: &json) { $1.append(Int($0)) }
  }

  private static func append(sequence: [UInt8]?, to json: inout JSONWriter) {
    guard let sequence else { return }
    json.append(raw: ",\"sequence\":")
    // JSON is UTF-8, whatever the input was.
    json.append(string: String(decoding: sequence, as: UTF8.self))
  }

  private static func appendArray<Element>(
    _ elements: [Element], to json: inout JSONWriter, _ append: (Element, inout JSONWriter) -> Void
  ) {
    json.append(raw: "[")
    for (index, element) in elements.enumerated() {
      if index > 0 { json.append(raw: ",") }
      append(element, &json)
    }
    json.append(raw: "]")
  }

  /// An array of fillings, each with a piece for every mask.
  private func writeJSON(_ fillings: [JointPrediction]) throws(OutputError) {
    var json = lineOfJSON
    Self.appendArray(fillings, to: &json) { filling, json in
      json.append(raw: "{\"score\":")
      json.append(filling.score)
      json.append(raw: ",\"tokens\":")
      Self.appendArray(filling.tokens, to: &json) { $1.append(Int($0)) }
      json.append(raw: ",\"token_strs\":")
      Self.appendArray(filling.tokenStrings, to: &json) { $1.append(string: $0) }
      Self.append(sequence: filling.sequence, to: &json)
      json.append(raw: "}")
    }
    json.append(raw: "\n")
    try output.write(json.bytes)
  }

  private func writeJSON(_ error: any ModelError, line: Int) throws(OutputError) {
    var json = lineOfJSON
    json.append(raw: "{\"line\":\(line),\"error\":")
    json.append(string: error.message)
    json.append(raw: "}\n")
    try output.write(json.bytes)
  }

  // MARK: TSV

  // A tab or a line's end in a piece would make another row of it: pieces are printed as for a terminal, and the token says which it is.

  private func writeTSV(_ masks: [[MaskPrediction]], input: Int) throws(OutputError) {
    for (mask, candidates) in masks.enumerated() {
      for (index, candidate) in candidates.enumerated() {
        let score = FloatText.significant(Double(candidate.score), digits: 9)
        let tokens = candidate.tokens.map { String($0) }.joined(separator: " ")
        try output.write(
          "\(input)\t\(mask)\t\(index + 1)\t\(score)\t\(tokens)\t\(Printable.text(candidate.tokenString))\n")
      }
    }
  }

  /// A row for each mask of a filling, all with the score of the whole.
  private func writeTSV(_ fillings: [JointPrediction], input: Int) throws(OutputError) {
    for (index, filling) in fillings.enumerated() {
      let score = FloatText.significant(Double(filling.score), digits: 9)
      for (mask, (token, text)) in zip(filling.tokens, filling.tokenStrings).enumerated() {
        try output.write("\(input)\t\(mask)\t\(index + 1)\t\(score)\t\(token)\t\(Printable.text(text))\n")
      }
    }
  }

  // MARK: Text

  private static let barColumns = 24

  /// The input with its masks emphasized, and below it the candidates of each mask with share and bar.
  private func writeText(
    _ masks: [[MaskPrediction]], at places: [Range<Int>], input: InputLine
  ) throws(OutputError) {
    try writeHeading(input, masks: places)
    for (mask, candidates) in masks.enumerated() {
      if masks.count > 1 { try output.write("mask \(mask + 1)\n") }
      try writeTable(candidates.map { ($0.tokenString, $0.score) })
    }
  }

  /// The input, and below it the fillings: the pieces of all masks with one share.
  private func writeText(
    _ fillings: [JointPrediction], at places: [Range<Int>], input: InputLine
  ) throws(OutputError) {
    try writeHeading(input, masks: places)
    let gap = terminal.showsUnicode ? " … " : " ... "
    try writeTable(fillings.map { ($0.tokenStrings.joined(separator: gap), $0.score) })
  }

  private func writeHeading(_ input: InputLine, masks: [Range<Int>]) throws(OutputError) {
    if !isFirst { try output.write("\n") }
    try output.write(masks.isEmpty ? "sample \(input.number)\n" : echo(input.bytes, masks: masks) + "\n")
  }

  private func writeTable(_ candidates: [(text: String, score: Float)]) throws(OutputError) {
    var table = Table([.left, .right, .left], indent: "  ")
    for (text, score) in candidates {
      let bar = Table.bar(Double(score), columns: Self.barColumns, unicode: terminal.showsUnicode)
      table.rows.append([Printable.text(text), Readable.percent(Double(score)), bar])
    }
    for line in table.lines() { try output.write(line + "\n") }
  }

  private func echo(_ bytes: [UInt8], masks: [Range<Int>]) -> String {
    func shown(_ range: Range<Int>) -> String {
      let text = String(decoding: bytes[range], as: UTF8.self)
      return terminal.isTerminal ? Printable.text(text) : text
    }
    var text = ""
    var end = 0
    for mask in masks {
      text += shown(end..<mask.lowerBound) + terminal.emphasized(shown(mask))
      end = mask.upperBound
    }
    return text + shown(end..<bytes.count)
  }
}
