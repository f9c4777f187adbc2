/// The kind of an option's value.
package enum ValueKind: Sendable {
  /// Any text.
  case text
  /// The path of a file; `-` is standard input if the option says so.
  case file
  case directory
  /// A name of a catalogue, or a directory.
  case entry(Catalogue)
  /// Words separated by commas.
  case words
  case integer(ClosedRange<Int>)
  /// An unsigned 64-bit integer.
  case seed
  case number(NumberRange)
  /// One of these names.
  case choice([String])

  /// Whether the value is a path, whose bytes need not be UTF-8.
  package var isPath: Bool {
    switch self {
    case .file, .directory, .entry: true
    default: false
    }
  }

  /// The expected value, as a phrase that follows "is not".
  package var expectation: String {
    switch self {
    case .text: "a text"
    case .file: "the name of a file"
    case .directory: "the name of a directory"
    case .entry(let catalogue): "the name of a \(catalogue.noun) or of a directory"
    case .words: "a list of words separated by commas"
    case .integer(let range) where range.upperBound == .max: "a whole number of at least \(range.lowerBound)"
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .seed: "a whole number from 0 to \(UInt64.max)"
    case .number(let range): range.expectation
    case .choice(let names): Self.list(names)
    }
  }

  /// Whether a text is a valid value.
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

/// A set of names known to the program, such as presets.
package struct Catalogue: Sendable, Equatable {
  /// The singular, for messages: `preset`.
  package let noun: String
  /// The plural, for function names in completions: `presets`.
  package let plural: String

  package init(noun: String, plural: String) {
    self.noun = noun
    self.plural = plural
  }
}

/// The range of an option's number. Infinite bounds are open. A number is checked as the `Float` that will be used,
/// which must be finite: 0.9999999999 becomes 1, and 1e-60 becomes 0.
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
  /// The shortest notation: `0.15`, `1`, `5e-5`.
  package static func short(_ number: Double) -> String {
    var text = "\(number)"
    if text.hasSuffix(".0") { text.removeLast(2) }
    guard let e = text.firstIndex(of: "e") else { return text }
    let exponent = text[text.index(after: e)...]
    let digits = exponent.drop { $0 == "-" || $0 == "+" }.drop { $0 == "0" }
    return text[...e] + (exponent.hasPrefix("-") ? "-" : "") + digits
  }
}
