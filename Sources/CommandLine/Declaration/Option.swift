/// An option with a value of type `Value`: its declaration, its default, and the conversion from text.
package struct Option<Value: Sendable>: Sendable {
  package let declaration: OptionDeclaration
  package let defaultValue: Value
  /// Converts the typed texts; nil if they are invalid. There is one text, or, for a repeatable option, one for each
  /// occurrence.
  package let convert: @Sendable ([String]) -> Value?

  package var name: String { declaration.name }
  package var spelling: String { declaration.spelling }
}

extension Option where Value == Bool {
  /// A flag, which is off by default.
  package static func flag(
    _ name: String, short: Character? = nil, in group: OptionGroup, role: OptionRole? = nil,
    excludes: [Exclusion] = [], help: String, details: String = "",
    foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, short: short, kind: nil, group: group, role: role, excludes: excludes, help: help, details: details,
        foreignNames: foreignNames),
      defaultValue: false, convert: { _ in true })
  }
}

extension Option where Value == String {
  package static func text(
    _ name: String, _ valueName: String, kind: ValueKind = .text, default value: String, in group: OptionGroup,
    role: OptionRole? = nil,
    excludes: [Exclusion] = [], help: String, details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: kind, valueName: valueName, defaultText: value, group: group, role: role, excludes: excludes,
        help: help, details: details,
        foreignNames: foreignNames),
      defaultValue: value, convert: Texts.nonempty)
  }
}

extension Option where Value == String? {
  package static func text(
    _ name: String, _ valueName: String, kind: ValueKind = .text, defaultText: String? = nil, in group: OptionGroup,
    role: OptionRole? = nil,
    excludes: [Exclusion] = [], help: String, details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: kind, valueName: valueName, defaultText: defaultText, group: group, role: role, excludes: excludes,
        help: help, details: details,
        foreignNames: foreignNames),
      defaultValue: nil, convert: { Texts.nonempty($0).map { .some($0) } })
  }
}

extension Option where Value == [String] {
  /// Words separated by commas. Several such options add up.
  package static func words(
    _ name: String, _ valueName: String, defaultText: String? = nil, in group: OptionGroup, role: OptionRole? = nil,
    excludes: [Exclusion] = [], help: String,
    details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: .words, valueName: valueName, defaultText: defaultText, group: group, role: role,
        excludes: excludes, help: help, details: details,
        isRepeatable: true, foreignNames: foreignNames),
      defaultValue: [], convert: Texts.words)
  }
}

extension Option where Value == Int {
  package static func integer(
    _ name: String, _ valueName: String = "N", _ range: ClosedRange<Int> = 1...Int.max, default value: Int,
    in group: OptionGroup, role: OptionRole? = nil,
    excludes: [Exclusion] = [], help: String, details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: .integer(range), valueName: valueName, defaultText: String(value), group: group, role: role,
        excludes: excludes, help: help,
        details: details, foreignNames: foreignNames),
      defaultValue: value, convert: { Texts.integer($0, range) })
  }
}

extension Option where Value == Int? {
  package static func integer(
    _ name: String, _ valueName: String = "N", _ range: ClosedRange<Int> = 1...Int.max, defaultText: String? = nil,
    in group: OptionGroup, role: OptionRole? = nil,
    excludes: [Exclusion] = [], help: String, details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: .integer(range), valueName: valueName, defaultText: defaultText, group: group, role: role,
        excludes: excludes, help: help,
        details: details, foreignNames: foreignNames),
      defaultValue: nil, convert: { Texts.integer($0, range).map { .some($0) } })
  }
}

extension Option where Value == UInt64 {
  package static func seed(
    _ name: String, _ valueName: String = "N", default value: UInt64, in group: OptionGroup, role: OptionRole? = nil,
    excludes: [Exclusion] = [], help: String,
    details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: .seed, valueName: valueName, defaultText: String(value), group: group, role: role,
        excludes: excludes, help: help,
        details: details, foreignNames: foreignNames),
      defaultValue: value, convert: { $0.last.flatMap { UInt64($0) } })
  }
}

extension Option where Value == Double {
  package static func number(
    _ name: String, _ range: NumberRange, default value: Double, in group: OptionGroup, role: OptionRole? = nil,
    excludes: [Exclusion] = [], help: String, details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: .number(range), valueName: "X", defaultText: NumberText.short(value), group: group, role: role,
        excludes: excludes, help: help,
        details: details, foreignNames: foreignNames),
      defaultValue: value, convert: { Texts.number($0, range) })
  }
}

extension Option where Value == Double? {
  package static func number(
    _ name: String, _ range: NumberRange, defaultText: String? = nil,
    in group: OptionGroup, role: OptionRole? = nil,
    excludes: [Exclusion] = [], help: String, details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: .number(range), valueName: "X", defaultText: defaultText, group: group, role: role,
        excludes: excludes, help: help,
        details: details, foreignNames: foreignNames),
      defaultValue: nil, convert: { Texts.number($0, range).map { .some($0) } })
  }
}

extension Option where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of the names of an enumeration.
  package static func choice(
    _ name: String, _ valueName: String, default value: Value, in group: OptionGroup, role: OptionRole? = nil,
    excludes: [Exclusion] = [], help: String,
    details: String = "", foreignNames: [String] = []
  ) -> Option {
    Option(
      declaration: OptionDeclaration(
        name, kind: .choice(Value.allCases.map(\.rawValue)), valueName: valueName, defaultText: value.rawValue,
        group: group, role: role, excludes: excludes, help: help, details: details, foreignNames: foreignNames),
      defaultValue: value, convert: { $0.last.flatMap { Value(rawValue: $0) } })
  }
}

extension Option {
  /// One of the names of an enumeration; nil if it is not given.
  package static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
    _ name: String, _ valueName: String, defaultText: String? = nil, in group: OptionGroup, role: OptionRole? = nil,
    excludes: [Exclusion] = [], help: String, details: String = "", foreignNames: [String] = [],
    foreignValues: [String: String] = [:]
  ) -> Option where Value == Choice? {
    Option(
      declaration: OptionDeclaration(
        name, kind: .choice(Choice.allCases.map(\.rawValue)), valueName: valueName, defaultText: defaultText,
        group: group, role: role, excludes: excludes, help: help, details: details, foreignNames: foreignNames,
        foreignValues: foreignValues),
      defaultValue: nil, convert: { $0.last.flatMap { Choice(rawValue: $0) }.map { .some($0) } })
  }
}

/// Converts typed texts to values.
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
