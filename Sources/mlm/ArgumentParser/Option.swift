/// An option whose value is a `Value`: its declaration, its default, and how text becomes a value.
struct Option<Value: Sendable>: Sendable {
  let declaration: OptionDeclaration
  let defaultValue: Value
  /// The value of what was typed; nil where that is not what the declaration asks for. Holds one text, or for a
  /// repeatable option as many as were given.
  let convert: @Sendable ([String]) -> Value?
}

extension Option where Value == Bool {
  /// Off, unless it is given.
  static func flag(
    _ name: String, short: Character? = nil, in group: OptionGroup, help: String, details: String = "",
    foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, short: short, kind: nil, group: group, help: help, details: details, foreignNames: foreignNames),
      defaultValue: false, convert: { _ in true })
  }
}

extension Option where Value == String {
  static func text(
    _ name: String, _ valueName: String, kind: ValueKind = .text, default value: String, in group: OptionGroup,
    help: String, details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: kind, valueName: valueName, defaultText: value, group: group, help: help, details: details,
        foreignNames: foreignNames),
      defaultValue: value, convert: Texts.nonempty)
  }
}

extension Option where Value == String? {
  static func text(
    _ name: String, _ valueName: String, kind: ValueKind = .text, defaultText: String? = nil, in group: OptionGroup,
    help: String, details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: kind, valueName: valueName, defaultText: defaultText, group: group, help: help, details: details,
        foreignNames: foreignNames),
      defaultValue: nil, convert: { Texts.nonempty($0).map { .some($0) } })
  }
}

extension Option where Value == [String] {
  /// Words with commas between them; several such options add up.
  static func words(
    _ name: String, _ valueName: String, defaultText: String? = nil, in group: OptionGroup, help: String,
    details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: .words, valueName: valueName, defaultText: defaultText, group: group, help: help, details: details,
        isRepeatable: true, foreignNames: foreignNames),
      defaultValue: [], convert: Texts.words)
  }
}

extension Option where Value == Int {
  static func integer(
    _ name: String, _ valueName: String = "N", _ range: ClosedRange<Int> = 1...Int.max, default value: Int,
    in group: OptionGroup, help: String, details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: .integer(range), valueName: valueName, defaultText: String(value), group: group, help: help,
        details: details, foreignNames: foreignNames),
      defaultValue: value, convert: { Texts.integer($0, range) })
  }
}

extension Option where Value == Int? {
  static func integer(
    _ name: String, _ valueName: String = "N", _ range: ClosedRange<Int> = 1...Int.max, defaultText: String? = nil,
    in group: OptionGroup, help: String, details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: .integer(range), valueName: valueName, defaultText: defaultText, group: group, help: help,
        details: details, foreignNames: foreignNames),
      defaultValue: nil, convert: { Texts.integer($0, range).map { .some($0) } })
  }
}

extension Option where Value == UInt64 {
  static func seed(
    _ name: String, _ valueName: String = "N", default value: UInt64, in group: OptionGroup, help: String,
    details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: .seed, valueName: valueName, defaultText: String(value), group: group, help: help,
        details: details, foreignNames: foreignNames),
      defaultValue: value, convert: { $0.last.flatMap { UInt64($0) } })
  }
}

extension Option where Value == Double {
  static func number(
    _ name: String, _ range: NumberRange, default value: Double, in group: OptionGroup,
    help: String, details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: .number(range), valueName: "X", defaultText: Decimal.short(value), group: group, help: help,
        details: details, foreignNames: foreignNames),
      defaultValue: value, convert: { Texts.number($0, range) })
  }
}

extension Option where Value == Double? {
  static func number(
    _ name: String, _ range: NumberRange, defaultText: String? = nil,
    in group: OptionGroup, help: String, details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: .number(range), valueName: "X", defaultText: defaultText, group: group, help: help,
        details: details, foreignNames: foreignNames),
      defaultValue: nil, convert: { Texts.number($0, range).map { .some($0) } })
  }
}

extension Option where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of the names of an enumeration.
  static func choice(
    _ name: String, _ valueName: String, default value: Value, in group: OptionGroup, help: String,
    details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: .choice(Value.allCases.map(\.rawValue)), valueName: valueName, defaultText: value.rawValue,
        group: group, help: help, details: details, foreignNames: foreignNames),
      defaultValue: value, convert: { $0.last.flatMap { Value(rawValue: $0) } })
  }
}

/// From what was typed to values.
enum Texts {
  @Sendable static func nonempty(_ texts: [String]) -> String? {
    texts.last.flatMap { $0.isEmpty ? nil : $0 }
  }

  @Sendable static func words(_ texts: [String]) -> [String]? {
    var words: [String] = []
    for text in texts {
      for part in text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
        let word = String(decoding: part, as: UTF8.self)
        if word.isEmpty { return nil }
        words.append(word)
      }
    }
    return words
  }

  static func integer(_ texts: [String], _ range: ClosedRange<Int>) -> Int? {
    texts.last.flatMap { Int($0) }.flatMap { range.contains($0) ? $0 : nil }
  }

  static func number(_ texts: [String], _ range: NumberRange) -> Double? {
    texts.last.flatMap { Double($0) }.flatMap { range.contains($0) ? $0 : nil }
  }
}
