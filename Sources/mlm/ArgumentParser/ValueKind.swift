/// What an option's value must look like.
enum ValueKind: Sendable {
  /// Any text.
  case text
  /// The path of a file; `-` is standard input where the option says so.
  case file
  case directory
  /// A model: the name of a preset, a directory, or `hf://OWNER/NAME`.
  case preset
  /// Words with commas between them.
  case words
  case integer(ClosedRange<Int>)
  /// Any whole number of 64 bits without a sign.
  case seed
  case number(NumberRange)
  /// One of these names.
  case choice([String])

  /// Whether it names something in the file system, in whatever bytes.
  var isPath: Bool {
    switch self {
    case .file, .directory, .preset: true
    default: false
    }
  }

  /// What is expected, to be read after "is not".
  var expectation: String {
    switch self {
    case .text: "a text"
    case .file: "the name of a file"
    case .directory: "the name of a directory"
    case .preset: "the name of a preset or of a directory"
    case .words: "a list of words with commas between them"
    case .integer(let range) where range.upperBound == .max: "a whole number of at least \(range.lowerBound)"
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .seed: "a whole number from 0 to \(UInt64.max)"
    case .number(let range): range.expectation
    case .choice(let names): Self.list(names)
    }
  }

  /// Whether a text is what is expected.
  func accepts(_ text: String) -> Bool {
    switch self {
    case .text, .file, .directory, .preset: !text.isEmpty
    case .words: Texts.words([text]) != nil
    case .integer(let range): Texts.integer([text], range) != nil
    case .seed: UInt64(text) != nil
    case .number(let range): Texts.number([text], range) != nil
    case .choice(let names): names.contains(text)
    }
  }

  /// "a", "a or b", "a, b or c".
  static func list(_ names: [String]) -> String {
    guard let last = names.last, names.count > 1 else { return names.first ?? "" }
    return names.dropLast().joined(separator: ", ") + " or " + last
  }
}

/// The numbers an option takes. Infinite bounds are open. A number is judged as the `Float` it will be, which must be finite:
/// 0.9999999999 is 1 there, and 1e-60 is 0.
struct NumberRange: Sendable {
  let lower: Double
  let upper: Double
  var excludesLower = false
  var excludesUpper = false

  static let zeroToOne = NumberRange(lower: 0, upper: 1)
  static let aboveZeroToOne = NumberRange(lower: 0, upper: 1, excludesLower: true)
  static let zeroToBelowOne = NumberRange(lower: 0, upper: 1, excludesUpper: true)
  static let betweenZeroAndOne = NumberRange(lower: 0, upper: 1, excludesLower: true, excludesUpper: true)
  static let aboveZero = NumberRange(lower: 0, upper: .infinity, excludesLower: true)
  static let atLeastZero = NumberRange(lower: 0, upper: .infinity)

  func contains(_ number: Double) -> Bool {
    let number = Double(Float(number))
    return number.isFinite && (excludesLower ? number > lower : number >= lower)
      && (excludesUpper ? number < upper : number <= upper)
  }

  var expectation: String {
    let low = excludesLower ? "above \(Decimal.short(lower))" : "of at least \(Decimal.short(lower))"
    guard upper.isFinite else { return "a number \(low)" }
    let high = excludesUpper ? "below \(Decimal.short(upper))" : "at most \(Decimal.short(upper))"
    return "a number \(low) and \(high)"
  }
}
