import CommandLine

/// `mlm help [COMMAND]`.
enum HelpCommand {
  /// For whoever lists the commands; help on it is the overview.
  static var declaration: CommandDeclaration {
    CommandDeclaration(
      name: "help", summary: "help on a command",
      operands: .oneOf(Command.allCases.map(\.rawValue), placeholder: "COMMAND", isOptional: true), options: [],
      description: ["Shows what 'mlm COMMAND --help' shows; without a COMMAND, what 'mlm --help' shows."], examples: [],
      environment: [])
  }

  static let examples: [CommandDeclaration.Example] = [
    .init(command: "mlm predict 'The capital of France is [MASK].'", meaning: "fill in a mask"),
    .init(command: "mlm fit --epochs 3 novels.txt", meaning: "train on text, write ./mlm-model"),
    .init(command: "mlm evaluate held-out.txt", meaning: "how good is it?"),
  ]

  static var overview: String { Help(.mlm).long() }

  /// `mlm help fit` is `mlm fit --help`; `mlm help` is `mlm --help`.
  static func text(for arguments: [Argument]) throws(UsageError) -> String {
    guard let first = arguments.first else { return overview }
    if arguments.count > 1 {
      throw UsageError("unexpected argument '\(arguments[1].text)'", hint: "usage: mlm help [COMMAND]")
    }
    if ["help", "-h", "--help"].contains(first.text) { return overview }
    return Help(.mlm).long(try Command.named(first).declaration)
  }
}
