import CommandLine

/// The options of `mlm manual`, which has none.
struct ManualOptions: Sendable, Equatable {}

extension ManualOptions {
  static let declaration = CommandDeclaration(
    name: "manual", summary: "print the manual as a man page", operands: .none,
    options: [CommandDeclaration.help.declaration],
    description: [
      "Prints the man page mlm(1), which contains the full help of all commands. Scripts/install installs it."
    ],
    examples: [
      .init(command: "mlm manual | man -l -", meaning: "show the manual"),
      .init(command: "mlm manual > ~/.local/share/man/man1/mlm.1", meaning: "install it for 'man mlm'"),
    ],
    environment: [])

  init(_ arguments: ParsedArguments) throws(UsageError) { try arguments.refuseOperands() }
}
