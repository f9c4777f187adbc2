/// Scripts that make a shell complete the words after `mlm`, made from the declarations.
///
/// A script asks nothing of the tool while a word is completed, and needs nothing but its shell.
struct Completions {
  enum Shell: String, Sendable, CaseIterable { case bash, zsh, fish }

  /// `help` included.
  let commands: [CommandDeclaration]
  /// What may stand in place of a command.
  let options: [OptionDeclaration]
  /// What can be said for a preset besides a directory.
  let presets: [Name]

  /// A word to complete, and what it means.
  struct Name: Sendable {
    let word: String
    let meaning: String
  }

  func script(for shell: Shell) -> String {
    switch shell {
    case .bash: bash
    case .zsh: zsh
    case .fish: fish
    }
  }

  /// What a word may become.
  enum Candidates {
    /// Nothing that is known: a number, a text.
    case unknown
    case files
    case directories
    /// `presets`, and directories.
    case presets
    case words([String])
  }

  static func candidates(for kind: ValueKind) -> Candidates {
    switch kind {
    case .file: .files
    case .directory: .directories
    case .preset: .presets
    case .choice(let names): .words(names)
    case .text, .words, .integer, .seed, .number: .unknown
    }
  }

  static func candidates(for operands: CommandDeclaration.Operands) -> Candidates {
    switch operands {
    case .files: .files
    case .presets: .presets
    case .oneOf(let names, _, _): .words(names)
    case .none, .texts: .unknown
    }
  }

  /// `--name`, and `-n` where there is one.
  static func spellings(of option: OptionDeclaration) -> [String] {
    (option.short.map { ["-\($0)"] } ?? []) + [option.spelling]
  }
}
