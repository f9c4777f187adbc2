/// All that is known about one option. Parsing, `-h`, `--help`, error messages, shell completions and the manual page are made
/// from it.
struct OptionDeclaration: Sendable {
  /// The long name, without dashes.
  let name: String
  /// The letter after a single dash, for the few options that have one.
  let short: Character?
  /// What the value must look like; nil for a flag.
  let kind: ValueKind?
  /// What stands for the value in help, `N` for instance; empty for a flag.
  let valueName: String
  /// The default as a person would say it; nil for flags and where there is none.
  let defaultText: String?
  /// One line: fits into 80 columns beside the name, default included.
  let help: String
  /// The whole story, for `--help`; empty where the one line is all there is to say.
  let details: String
  let group: OptionGroup
  /// Whether several values add up. The other options take the last one given.
  let isRepeatable: Bool
  /// What users of other tools call it. Not accepted, but answered with this option's name.
  let foreignNames: [String]

  init(
    _ name: String, short: Character? = nil, kind: ValueKind?, valueName: String = "", defaultText: String? = nil,
    group: OptionGroup, help: String, details: String = "", isRepeatable: Bool = false, foreignNames: [String] = []
  ) {
    self.name = name
    self.short = short
    self.kind = kind
    self.valueName = valueName
    self.defaultText = defaultText
    self.group = group
    self.help = help
    self.details = details
    self.isRepeatable = isRepeatable
    self.foreignNames = foreignNames
  }

  /// How it is typed: `--name`.
  var spelling: String { "--" + name }

  /// How help shows it: `-h, --help`, `--epochs N`.
  var synopsis: String {
    let shortPart = short.map { "-\($0), " } ?? ""
    return shortPart + spelling + (valueName.isEmpty ? "" : " " + valueName)
  }
}

/// The headings of help, in their order there.
enum OptionGroup: String, Sendable, CaseIterable {
  case model = "Model"
  case newModel = "New model"
  case input = "Input"
  case output = "Output"
  case training = "Training"
  case optimizer = "Optimizer"
  case masking = "Masking"
  case validation = "Validation"
  case general = "General"
}
