import CommandLine

/// `mlm help [COMMAND|TOPIC]`.
enum HelpCommand {
  /// The declaration for the list of commands. Help on `help` is the overview.
  static var declaration: CommandDeclaration {
    CommandDeclaration(
      name: "help", summary: "show help on a command or a topic",
      operands: .oneOf(subjects, placeholder: "COMMAND|TOPIC", isOptional: true), options: [],
      description: [
        """
        Shows the help of a COMMAND, as 'mlm COMMAND --help' does, or the page on a TOPIC. Without an argument, shows \
        the same as 'mlm --help'.
        """
      ], examples: [], environment: [])
  }

  /// The names that help accepts.
  private static let subjects = Command.allCases.map(\.rawValue) + HelpTopic.all.map(\.name)

  static let examples: [CommandDeclaration.Example] = [
    .init(command: "mlm predict 'The capital of France is [MASK].'", meaning: "fill in a mask"),
    .init(command: "mlm fit --epochs 3 novels.txt", meaning: "train on text, write ./mlm-model"),
    .init(command: "mlm evaluate held-out.txt", meaning: "measure loss and accuracy"),
  ]

  static var overview: String { Help(.mlm).long() }

  /// `mlm help fit` is `mlm fit --help`; `mlm help` is `mlm --help`; `mlm help formats` is a separate page.
  static func text(for arguments: [Argument]) throws(UsageError) -> String {
    guard let first = arguments.first else { return overview }
    if arguments.count > 1 {
      throw UsageError("unexpected argument '\(arguments[1].text)'", hint: "usage: mlm help [COMMAND|TOPIC]")
    }
    if ["help", "-h", "--help"].contains(first.text) { return overview }
    if let topic = HelpTopic.all.first(where: { $0.name == first.text }) { return Help(.mlm).page(topic) }
    guard let command = Command(rawValue: first.text) else {
      let nearest = Nearest.name(to: first.text, in: subjects)
      throw UsageError(
        "unknown command or topic '\(first.text)'",
        hint: nearest.map { "did you mean 'mlm help \($0)'?" } ?? "'mlm help' lists commands and topics")
    }
    return Help(.mlm).long(command.declaration)
  }
}
