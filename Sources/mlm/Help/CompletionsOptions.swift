import CommandLine
import Hub
import Model

/// The options of `mlm completions`.
struct CompletionsOptions: Sendable, Equatable {
  var shell: Completions.Shell
}

extension CompletionsOptions {
  private static let shells = Completions.Shell.allCases.map(\.rawValue)
  private static let placeholder = "SHELL"

  static let declaration = CommandDeclaration(
    name: "completions", summary: "print shell completions for bash, zsh or fish",
    operands: .oneOf(shells, placeholder: placeholder, isOptional: false),
    options: [CommandDeclaration.help.declaration],
    description: [
      """
      Prints a script with which a shell completes commands, options, values, presets and files. Scripts/install \
      installs it; the examples show how to do so manually.
      """
    ],
    examples: [
      .init(
        command: "mlm completions bash > ~/.local/share/bash-completion/completions/mlm",
        meaning: "bash with bash-completion, from the next shell on"),
      .init(command: "source <(mlm completions bash)", meaning: "bash without bash-completion (add to ~/.bashrc)"),
      .init(
        command: "source <(mlm completions zsh)", meaning: "zsh (add to ~/.zshrc, after compinit)"),
      .init(
        command: "mlm completions fish > ~/.config/fish/completions/mlm.fish", meaning: "fish, effective immediately"),
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
  /// The tool's completions: all commands and the built-in presets. Excludes those of MLM_PRESETS, which may change
  /// after the script was written.
  static func standard() throws -> Completions {
    let presets = try PresetRegistry.builtIn().presets.map { preset in
      // Only the first part of the description fits next to a word.
      Name(word: preset.name, meaning: String(preset.description.prefix { $0 != ";" && $0 != ":" }))
    }
    return Completions(.mlm, catalogues: [(.presets, presets)])
  }
}
