/// Declares an option. Parsing, `-h`, `--help`, error messages, shell completions and the manual page are made from it,
/// and so is the check of a resumed run.
package struct OptionDeclaration: Sendable {
  /// The long name, without dashes.
  package let name: String
  /// The letter after a single dash, for the few options that have one.
  package let short: Character?
  /// What the value must look like; nil for a flag.
  package let kind: ValueKind?
  /// What stands for the value in help, `N` for instance; empty for a flag.
  package let valueName: String
  /// The default as a person would say it; nil for flags and where there is none.
  package let defaultText: String?
  /// One line: fits into 80 columns beside the name, default included.
  package let help: String
  /// The whole story, for `--help`; empty where the one line is all there is to say.
  package let details: String
  package let group: OptionGroup
  /// What it means for repeating or resuming a run; nil where the command's runs are neither.
  package let role: OptionRole?
  /// What it does not go together with.
  package let excludes: [Exclusion]
  /// Whether several values add up. The other options take the last one given.
  package let isRepeatable: Bool
  /// What users of other tools call it. Not accepted, but answered with this option's name.
  package let foreignNames: [String]

  package init(
    _ name: String, short: Character? = nil, kind: ValueKind?, valueName: String = "", defaultText: String? = nil,
    group: OptionGroup, role: OptionRole? = nil, excludes: [Exclusion] = [], help: String, details: String = "",
    isRepeatable: Bool = false, foreignNames: [String] = []
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
  }

  /// How it is typed: `--name`.
  package var spelling: String { "--" + name }

  /// `--name`, and `-n` where there is one.
  package var spellings: [String] { (short.map { ["-\($0)"] } ?? []) + [spelling] }

  /// How help shows it: `-h, --help`, `--epochs N`.
  package var synopsis: String {
    let shortPart = short.map { "-\($0), " } ?? ""
    return shortPart + spelling + (valueName.isEmpty ? "" : " " + valueName)
  }
}

/// A heading of help. The program declares its own, and help shows them in the order in which a command's options name
/// them.
package struct OptionGroup: Sendable, Equatable {
  package let title: String

  package init(_ title: String) { self.title = title }

  package static let general = OptionGroup("General")
}

/// What an option means for repeating or resuming a run.
package enum OptionRole: Sendable, CaseIterable {
  /// Changes what is computed: a resumed run must have the same value.
  case arithmetic
  /// Names data, or a model: a resumed run must have the same content, under whatever name.
  case content
  /// Changes the result, and is compared by a rule of its own: it may differ where the rule allows it.
  case ruled
  /// Affects only what is written and reported beside the result, and how often.
  case output
  /// Says where things are: the same run can write elsewhere.
  case place
  /// Belongs to the one call of the command, and is not repeated with the run.
  case session
}

/// Options that do not go together.
package struct Exclusion: Sendable {
  /// The names of the options, without dashes. The one that declares it may be among them: a mutually exclusive group.
  package let names: [String]
  /// The exclusion holds only where the declaring option has this value.
  package let value: String?
  /// The exclusion holds only where the other option has this value.
  package let otherValue: String?
  /// Why; nil where both may be typed, but the typed one overrides the other's value in a configuration file.
  package let reason: String?
  package let hint: String?

  /// - Parameter names: without dashes.
  package init(
    of names: [String], when value: String? = nil, otherValue: String? = nil, because reason: String?,
    hint: String? = nil
  ) {
    self.names = names
    self.value = value
    self.otherValue = otherValue
    self.reason = reason
    self.hint = hint
  }

  /// A group of which one is enough: a typed one overrides the others in a configuration file.
  package static func overriding(_ names: [String]) -> Exclusion { Exclusion(of: names, because: nil) }
}
