import CommandLine

/// What `mlm manual` was asked to do: there is only one manual.
struct ManualOptions: Sendable, Equatable {}

extension ManualOptions {
  static let declaration = CommandDeclaration(
    name: "manual", summary: "the manual as a man page", operands: .none,
    options: [CommandDeclaration.help.declaration],
    description: [
      "Prints the man page mlm(1), which holds all that help says. Scripts/install puts it where 'man mlm' finds it."
    ],
    examples: [
      .init(command: "mlm manual | man -l -", meaning: "read it"),
      .init(command: "mlm manual > ~/.local/share/man/man1/mlm.1", meaning: "from then on: man mlm"),
    ],
    environment: [])

  init(_ arguments: ParsedArguments) throws(UsageError) { try arguments.refuseOperands() }
}
