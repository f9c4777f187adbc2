import CommandLine
import Hub
import Model

/// What `mlm completions` was asked to do.
struct CompletionsOptions: Sendable, Equatable {
  var shell: Completions.Shell
}

extension CompletionsOptions {
  private static let shells = Completions.Shell.allCases.map(\.rawValue)
  private static let placeholder = "SHELL"

  static let declaration = CommandDeclaration(
    name: "completions", summary: "completions for bash, zsh or fish",
    operands: .oneOf(shells, placeholder: placeholder, isOptional: false),
    options: [CommandDeclaration.help.declaration],
    description: [
      """
      Prints a script that makes a shell complete commands, options, their values, presets and files. Scripts/install \
      puts it where the shell looks for it; the examples do without.
      """
    ],
    examples: [
      .init(
        command: "mlm completions bash > ~/.local/share/bash-completion/completions/mlm",
        meaning: "bash with bash-completion, from its next start on"),
      .init(command: "source <(mlm completions bash)", meaning: "bash without it: into ~/.bashrc"),
      .init(
        command: "source <(mlm completions zsh)", meaning: "zsh: into ~/.zshrc, after compinit"),
      .init(
        command: "mlm completions fish > ~/.config/fish/completions/mlm.fish", meaning: "fish, at once"),
    ],
    environment: [])

  init(_ arguments: ParsedArguments) throws(UsageError) {
    if arguments.operands.count > 1 {
      throw .unexpectedOperand(arguments.operands[1], command: Self.declaration)
    }
    guard let shell = arguments.operands.first.flatMap({ Completions.Shell(rawValue: $0.text) }) else {
      throw .badOperand(
        arguments.operands.first, of: Self.shells, placeholder: Self.placeholder, command: Self.declaration)
    }
    self.shell = shell
  }
}

extension Completions {
  /// The tool's own: all commands, and the built-in presets. Those of MLM_PRESETS come and go, and a script stays.
  static func standard() throws -> Completions {
    let presets = try PresetRegistry.builtIn().presets.map { preset in
      // What it is; where it comes from has no room beside a word.
      Name(word: preset.name, meaning: String(preset.description.prefix { $0 != ";" && $0 != ":" }))
    }
    return Completions(.mlm, catalogues: [(.presets, presets)])
  }
}
