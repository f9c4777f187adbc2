import Files
import Model
import Text

/// Prints the answers of `predict` in the requested format.
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
    switch (format, answer) {
    case (.json, .filled(let prediction)):
      if let fillings = prediction.fillings { try writeJSON(fillings, prediction) } else { try writeJSON(prediction) }
    case (.json, .failed(let error)): try writeJSON(error, line: input.number)
    case (.tsv, .filled(let prediction)):
      if let fillings = prediction.fillings {
        try writeTSV(fillings, input: input.number - 1)
      } else {
        try writeTSV(prediction.masks, input: input.number - 1)
      }
    // A control character in a piece must not break the line.
    case (.fill, .filled(let prediction)): try writeFilled(prediction.filledTexts(Printable.text).first, input)
    // A text that could not be filled is written unchanged, so that input and output lines match.
    case (.fill, _): try writeFilled(nil, input)
    case (.text, .filled(let prediction)): try writeText(prediction, input: input)
    case (.tsv, _), (.text, _), (.json, .untouched): break
    }
  }

  private func writeFilled(_ text: [UInt8]?, _ input: InputLine) throws(OutputError) {
    try output.write((text ?? input.bytes) + (input.hasReturn ? [0x0D, 0x0A] : [0x0A]))
  }

  // MARK: JSON

  /// Escapes all controls: word pieces can contain any character, and the output may be a terminal.
  private var lineOfJSON: JSONWriter { JSONWriter(escapesAllControls: true) }

  /// Writes an array of candidates for one mask, and an array of such arrays for several: the schema of the fill-mask
  /// pipeline.
  private func writeJSON(_ prediction: MaskedTextPrediction) throws(OutputError) {
    var json = lineOfJSON
    if prediction.masks.count == 1 {
      Self.append(mask: 0, of: prediction, to: &json)
    } else {
      json.append(raw: "[")
      for mask in prediction.masks.indices {
        if mask > 0 { json.append(raw: ",") }
        Self.append(mask: mask, of: prediction, to: &json)
      }
      json.append(raw: "]")
    }
    json.append(raw: "\n")
    try output.write(json.bytes)
  }

  private static func append(mask: Int, of prediction: MaskedTextPrediction, to json: inout JSONWriter) {
    json.append(raw: "[")
    for (index, candidate) in prediction.masks[mask].enumerated() {
      json.append(raw: index > 0 ? ",{\"score\":" : "{\"score\":")
      json.append(candidate.probability)
      append(candidate.tokens, to: &json)
      json.append(raw: ",\"token_str\":")
      json.append(string: candidate.piece)
      append(sequence: prediction.texts(fillingMask: mask, with: candidate).first, to: &json)
      json.append(raw: "}")
    }
    json.append(raw: "]")
  }

  /// Writes `token` as a number, or as null for several pieces, followed by the array `tokens`.
  private static func append(_ tokens: [Int], to json: inout JSONWriter) {
    json.append(raw: ",\"token\":")
    if tokens.count == 1 { return json.append(tokens[0]) }
    json.append(raw: "null,\"tokens\":")
    appendArray(tokens, to: &json) { $1.append($0) }
  }

  private static func append(sequence: [UInt8]?, to json: inout JSONWriter) {
    guard let sequence else { return }
    json.append(raw: ",\"sequence\":")
    // JSON is UTF-8, even if the input is not.
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

  /// Writes an array of fillings, each with one piece per mask.
  private func writeJSON(
    _ fillings: [MaskedTextPrediction.Filling], _ prediction: MaskedTextPrediction
  ) throws(OutputError) {
    var json = lineOfJSON
    Self.appendArray(fillings, to: &json) { filling, json in
      json.append(raw: "{\"score\":")
      json.append(filling.probability)
      json.append(raw: ",\"tokens\":")
      Self.appendArray(filling.tokens, to: &json) { $1.append($0) }
      json.append(raw: ",\"token_strs\":")
      Self.appendArray(filling.pieces, to: &json) { $1.append(string: $0) }
      Self.append(sequence: prediction.texts(filledWith: filling).first, to: &json)
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

  // A tab or a newline in a piece would break the row, so pieces are printed as for a terminal; the token id identifies
  // them.

  private func writeTSV(_ masks: [[MaskedTextPrediction.Candidate]], input: Int) throws(OutputError) {
    for (mask, candidates) in masks.enumerated() {
      for (index, candidate) in candidates.enumerated() {
        let score = FloatText.significant(Double(candidate.probability), digits: 9)
        let tokens = candidate.tokens.map { String($0) }.joined(separator: " ")
        try output.write(
          "\(input)\t\(mask)\t\(index + 1)\t\(score)\t\(tokens)\t\(Printable.text(candidate.piece))\n")
      }
    }
  }

  /// Writes a row for each mask of a filling, all with the score of the filling.
  private func writeTSV(_ fillings: [MaskedTextPrediction.Filling], input: Int) throws(OutputError) {
    for (index, filling) in fillings.enumerated() {
      let score = FloatText.significant(Double(filling.probability), digits: 9)
      for (mask, (token, text)) in zip(filling.tokens, filling.pieces).enumerated() {
        try output.write("\(input)\t\(mask)\t\(index + 1)\t\(score)\t\(token)\t\(Printable.text(text))\n")
      }
    }
  }

  // MARK: Text

  private static let barColumns = 24

  /// Writes the input with its masks emphasized, and below it the candidates of each mask with score and bar, or the
  /// fillings, each with the pieces of all masks and one score.
  private func writeText(_ prediction: MaskedTextPrediction, input: InputLine) throws(OutputError) {
    try writeHeading(input, masks: prediction.places.first ?? [])
    if let fillings = prediction.fillings {
      let gap = terminal.showsUnicode ? " … " : " ... "
      return try writeTable(fillings.map { ($0.pieces.joined(separator: gap), $0.probability) })
    }
    for (mask, candidates) in prediction.masks.enumerated() {
      if prediction.masks.count > 1 { try output.write("mask \(mask + 1)\n") }
      try writeTable(candidates.map { ($0.piece, $0.probability) })
    }
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
