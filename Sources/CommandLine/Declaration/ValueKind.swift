/// What an option's value must look like.
package enum ValueKind: Sendable {
  /// Any text.
  case text
  /// The path of a file; `-` is standard input where the option says so.
  case file
  case directory
  /// A name of a catalogue, or a directory.
  case entry(Catalogue)
  /// Words with commas between them.
  case words
  case integer(ClosedRange<Int>)
  /// Any whole number of 64 bits without a sign.
  case seed
  case number(NumberRange)
  /// One of these names.
  case choice([String])

  /// Whether it names something in the file system, in whatever bytes.
  package var isPath: Bool {
    switch self {
    case .file, .directory, .entry: true
    default: false
    }
  }

  /// What is expected, to be read after "is not".
  package var expectation: String {
    switch self {
    case .text: "a text"
    case .file: "the name of a file"
    case .directory: "the name of a directory"
    case .entry(let catalogue): "the name of a \(catalogue.noun) or of a directory"
    case .words: "a list of words with commas between them"
    case .integer(let range) where range.upperBound == .max: "a whole number of at least \(range.lowerBound)"
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .seed: "a whole number from 0 to \(UInt64.max)"
    case .number(let range): range.expectation
    case .choice(let names): Self.list(names)
    }
  }

  /// Whether a text is what is expected.
  package func accepts(_ text: String) -> Bool {
    switch self {
    case .text, .file, .directory, .entry: !text.isEmpty
    case .words: Texts.words([text]) != nil
    case .integer(let range): Texts.integer([text], range) != nil
    case .seed: UInt64(text) != nil
    case .number(let range): Texts.number([text], range) != nil
    case .choice(let names): names.contains(text)
    }
  }

  /// "a", "a or b", "a, b or c".
  package static func list(_ names: [String]) -> String {
    guard let last = names.last, names.count > 1 else { return names.first ?? "" }
    return names.dropLast().joined(separator: ", ") + " or " + last
  }
}

/// Things that the program knows by name, which a value or an operand can be.
package struct Catalogue: Sendable, Equatable {
  /// One of them, for messages: `preset`.
  package let noun: String
  /// All of them, in the names of functions of the completions: `presets`.
  package let plural: String

  package init(noun: String, plural: String) {
    self.noun = noun
    self.plural = plural
  }
}

/// The numbers an option takes. Infinite bounds are open. A number is judged as the `Float` it will be, which must be
/// finite: 0.9999999999 is 1 there, and 1e-60 is 0.
package struct NumberRange: Sendable {
  package let lower: Double
  package let upper: Double
  package var excludesLower = false
  package var excludesUpper = false

  package static let zeroToOne = NumberRange(lower: 0, upper: 1)
  package static let aboveZeroToOne = NumberRange(lower: 0, upper: 1, excludesLower: true)
  package static let zeroToBelowOne = NumberRange(lower: 0, upper: 1, excludesUpper: true)
  package static let betweenZeroAndOne = NumberRange(lower: 0, upper: 1, excludesLower: true, excludesUpper: true)
  package static let aboveZero = NumberRange(lower: 0, upper: .infinity, excludesLower: true)
  package static let atLeastZero = NumberRange(lower: 0, upper: .infinity)

  package func contains(_ number: Double) -> Bool {
    let number = Double(Float(number))
    return number.isFinite && (excludesLower ? number > lower : number >= lower)
      && (excludesUpper ? number < upper : number <= upper)
  }

  package var expectation: String {
    let low = excludesLower ? "above \(NumberText.short(lower))" : "of at least \(NumberText.short(lower))"
    guard upper.isFinite else { return "a number \(low)" }
    let high = excludesUpper ? "below \(NumberText.short(upper))" : "at most \(NumberText.short(upper))"
    return "a number \(low) and \(high)"
  }
}

/// Numbers in help and messages.
package enum NumberText {
  /// As short as it can be written: `0.15`, `1`, `5e-5`.
  package static func short(_ number: Double) -> String {
    var text = "\(number)"
    if text.hasSuffix(".0") { text.removeLast(2) }
    guard let e = text.firstIndex(of: "e") else { return text }
    let exponent = text[text.index(after: e)...]
    let digits = exponent.drop { $0 == "-" || $0 == "+" }.drop { $0 == "0" }
    return text[...e] + (exponent.hasPrefix("-") ? "-" : "") + digits
  }
}
