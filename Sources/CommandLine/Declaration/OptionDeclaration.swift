/// Declares an option. Parsing, `-h`, `--help`, error messages, shell completions, the manual page and the check of a
/// resumed run are derived from it.
package struct OptionDeclaration: Sendable {
  /// The long name, without dashes.
  package let name: String
  /// The letter after a single dash, for the few options that have one.
  package let short: Character?
  /// The kind of the value; nil for a flag.
  package let kind: ValueKind?
  /// The placeholder for the value in help, such as `N`; empty for a flag.
  package let valueName: String
  /// The default as text for people; nil for flags and if there is none.
  package let defaultText: String?
  /// One line, which fits into 80 columns next to the name, including the default.
  package let help: String
  /// The full explanation, for `--help`; empty if `help` is enough.
  package let details: String
  package let group: OptionGroup
  /// Its role when a run is repeated or resumed; nil for commands without such runs.
  package let role: OptionRole?
  /// The options that it excludes.
  package let excludes: [Exclusion]
  /// Whether several values add up. For other options, the last one counts.
  package let isRepeatable: Bool
  /// Its names in other tools. They are not accepted, but the error suggests this option.
  package let foreignNames: [String]
  /// Names of values in other tools, in lower case, and the value that the error suggests instead.
  package let foreignValues: [String: String]

  package init(
    _ name: String, short: Character? = nil, kind: ValueKind?, valueName: String = "", defaultText: String? = nil,
    group: OptionGroup, role: OptionRole? = nil, excludes: [Exclusion] = [], help: String, details: String = "",
    isRepeatable: Bool = false, foreignNames: [String] = [], foreignValues: [String: String] = [:]
  ) {
    self.name = name
    self.short = short
    self.kind = kind
    self.valueName = valueName
    self.defaultText = defaultText
    self.group = group
    self.role = role
    self.excludes = excludes
    self.help = help
    self.details = details
    self.isRepeatable = isRepeatable
    self.foreignNames = foreignNames
    self.foreignValues = foreignValues
  }

  /// The option as typed: `--name`.
  package var spelling: String { "--" + name }

  /// `--name`, and `-n` if there is one.
  package var spellings: [String] { (short.map { ["-\($0)"] } ?? []) + [spelling] }

  /// The value that was probably meant by an invalid one; nil if none is close.
  package func nearestValue(to typed: String) -> String? {
    guard case .choice(let names)? = kind else { return nil }
    let typed = typed.lowercased()
    return foreignValues[typed] ?? Nearest.name(to: typed, in: names)
  }

  /// The option as shown in help: `-h, --help`, `--epochs N`.
  package var synopsis: String {
    let shortPart = short.map { "-\($0), " } ?? ""
    return shortPart + spelling + (valueName.isEmpty ? "" : " " + valueName)
  }
}

/// A heading of help. The program declares its headings, and help shows them in the order in which a command's options
/// use them.
package struct OptionGroup: Sendable, Equatable {
  package let title: String

  package init(_ title: String) { self.title = title }

  package static let general = OptionGroup("General")
}

/// The role of an option when a run is repeated or resumed.
package enum OptionRole: Sendable, CaseIterable {
  /// Changes what is computed: a resumed run must have the same value.
  case arithmetic
  /// Names data or a model: a resumed run must have the same content, but the name may differ.
  case content
  /// Changes the result and has a separate rule, which says when the value may differ.
  case ruled
  /// Affects only the additional output and reports, and their frequency.
  case output
  /// Names a path: the same run can write elsewhere.
  case place
  /// Concerns only one call of the command, and is not repeated with the run.
  case session
}

/// Options that are mutually exclusive.
package struct Exclusion: Sendable {
  /// The names of the options, without dashes. The declaring option may be among them, for a group.
  package let names: [String]
  /// The value of the declaring option to which the exclusion is limited.
  package let value: String?
  /// The value of the other option to which the exclusion is limited.
  package let otherValue: String?
  /// The reason; nil if both may be typed, and a typed one overrides the other's value in a configuration file.
  package let reason: String?
  package let hint: String?
  /// Whether the declaring option, if typed, overrides the others in a configuration file. Otherwise both together are
  /// an error there too.
  package let overridesFile: Bool

  /// - Parameter names: without dashes.
  package init(
    of names: [String], when value: String? = nil, otherValue: String? = nil, because reason: String?,
    hint: String? = nil, overridesFile: Bool = true
  ) {
    self.names = names
    self.value = value
    self.otherValue = otherValue
    self.reason = reason
    self.hint = hint
    self.overridesFile = overridesFile
  }

  /// A group in which a typed option overrides the others in a configuration file.
  package static func overriding(_ names: [String]) -> Exclusion { Exclusion(of: names, because: nil) }
}
