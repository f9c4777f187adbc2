/// Completion scripts for shells, generated from the declarations.
///
/// A script does not call the program during completion, and needs only its shell.
package struct Completions {
  package enum Shell: String, Sendable, CaseIterable { case bash, zsh, fish }

  let program: Program
  /// The names of each catalogue. A directory can be given instead of a name.
  let catalogues: [(catalogue: Catalogue, names: [Name])]

  /// A word to complete, and its meaning.
  package struct Name: Sendable {
    package let word: String
    package let meaning: String

    package init(word: String, meaning: String) {
      self.word = word
      self.meaning = meaning
    }
  }

  package init(_ program: Program, catalogues: [(catalogue: Catalogue, names: [Name])]) {
    self.program = program
    self.catalogues = catalogues
  }

  var name: String { program.name }
  var commands: [CommandDeclaration] { program.commands }

  func names(of catalogue: Catalogue) -> [Name] {
    catalogues.first { $0.catalogue == catalogue }?.names ?? []
  }

  package func script(for shell: Shell) -> String {
    switch shell {
    case .bash: bash
    case .zsh: zsh
    case .fish: fish
    }
  }

  /// The candidates for a word.
  enum Candidates {
    /// Unknown, as for a number or a text.
    case unknown
    case files
    case directories
    /// The names of a catalogue, and directories.
    case entries(Catalogue)
    case words([String])
  }

  static func candidates(for kind: ValueKind) -> Candidates {
    switch kind {
    case .file: .files
    case .directory: .directories
    case .entry(let catalogue): .entries(catalogue)
    case .choice(let names): .words(names)
    case .text, .words, .integer, .seed, .number: .unknown
    }
  }

  static func candidates(for operands: CommandDeclaration.Operands) -> Candidates {
    switch operands {
    case .files: .files
    case .entries(let catalogue): .entries(catalogue)
    case .oneOf(let names, _, _): .words(names)
    case .none, .texts: .unknown
    }
  }
}
