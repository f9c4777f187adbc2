import CommandLine
import Text

extension Program {
  /// The tool as described in its help, manual and completions.
  static let mlm = Program(
    name: programName, summary: "masked language modeling with DistilBERT",
    version: Version(number: CommandLineTool.version, date: CommandLineTool.versionDate),
    commands: Command.declarations + [HelpCommand.declaration], topics: HelpTopic.all,
    options: [
      CommandDeclaration.help.declaration,
      OptionDeclaration("version", kind: nil, group: .general, help: "show the version"),
    ],
    conventions: """
      Results go to standard output; progress, notes and errors go to standard error. Options follow the command. \
      --name value and --name=value are equivalent, -- ends the options, and - as a FILE is standard input.
      """,
    examples: HelpCommand.examples, exitStatuses: ExitCode.table,
    more: (
      ofProgram: """
      See also: 'mlm manual | man -l -' shows the manual; 'mlm completions --help' explains shell completions.
      """,
      ofCommand: "See also: 'mlm help' lists the commands; 'mlm manual | man -l -' shows the manual."
    ))

  fileprivate static let programName = "mlm"
}

extension CommandDeclaration {
  /// A command of the tool.
  init(
    name: String, summary: String, operands: Operands, options: [OptionDeclaration], description: [String],
    examples: [Example] = [], environment: [(name: String, meaning: String)] = []
  ) {
    self.init(
      program: Program.programName, name: name, summary: summary, operands: operands, options: options,
      description: description, examples: examples, environment: environment)
  }
}

/// The headings of help.
extension OptionGroup {
  static let model = OptionGroup("Model")
  static let newModel = OptionGroup("New model")
  static let input = OptionGroup("Input")
  static let output = OptionGroup("Output")
  static let training = OptionGroup("Training")
  static let optimizer = OptionGroup("Optimizer")
  static let masking = OptionGroup("Masking")
  static let validation = OptionGroup("Validation")
}

extension Catalogue {
  static let presets = Catalogue(noun: "preset", plural: "presets")
}
