/// Declares a command: its options, operands and help.
package struct CommandDeclaration: Sendable {
  /// The name of the program.
  package let program: String
  /// Empty if the program has no commands.
  package let name: String
  /// One line that completes "PROGRAM NAME: …".
  package let summary: String
  package let operands: Operands
  /// In the order of help. Every command also has `--help`.
  package let options: [OptionDeclaration]
  /// Paragraphs for `--help`.
  package let description: [String]
  package let examples: [Example]
  /// Environment variables: name and meaning.
  package let environment: [(name: String, meaning: String)]

  package struct Example: Sendable {
    package let command: String
    package let meaning: String

    package init(command: String, meaning: String) {
      self.command = command
      self.meaning = meaning
    }
  }

  package enum Operands: Sendable {
    case none
    /// At least one file; `-` is standard input.
    case files
    /// Texts, each one input; without any, inputs come from another source.
    case texts
    /// Names of a catalogue, required by some options.
    case entries(Catalogue)
    /// One of these words, shown as `placeholder` in help.
    case oneOf([String], placeholder: String, isOptional: Bool)

    package var synopsis: String {
      switch self {
      case .none: ""
      case .files: " FILE..."
      case .texts: " [TEXT...]"
      case .entries: " [NAME...]"
      case .oneOf(_, let placeholder, let isOptional): isOptional ? " [\(placeholder)]" : " \(placeholder)"
      }
    }
  }

  package init(
    program: String, name: String, summary: String, operands: Operands, options: [OptionDeclaration],
    description: [String] = [], examples: [Example] = [], environment: [(name: String, meaning: String)] = []
  ) {
    self.program = program
    self.name = name
    self.summary = summary
    self.operands = operands
    self.options = options
    self.description = description
    self.examples = examples
    self.environment = environment
  }

  /// The program and the command as typed: `mlm fit`.
  package var call: String { name.isEmpty ? program : "\(program) \(name)" }

  package var usage: String { "\(call)\(options.isEmpty ? "" : " [OPTIONS]")\(operands.synopsis)" }
}

extension CommandDeclaration {
  /// The option that every command has.
  package static let help = Option<Bool>.flag(
    "help", short: "h", in: .general, role: .session, help: "show help (-h: summary, --help: full)",
    details: "Show help and exit: -h one line per option, --help the full text.")

  package func option(named name: String) -> OptionDeclaration? { options.first { $0.name == name } }
  package func option(short: Character) -> OptionDeclaration? { options.first { $0.short == short } }

  /// The options by heading, both in the order of declaration.
  package var optionsByGroup: [(group: OptionGroup, options: [OptionDeclaration])] {
    var groups: [(group: OptionGroup, options: [OptionDeclaration])] = []
    for option in options {
      if let index = groups.firstIndex(where: { $0.group == option.group }) {
        groups[index].options.append(option)
      } else {
        groups.append((option.group, [option]))
      }
    }
    return groups
  }
}
