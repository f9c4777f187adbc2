/// Scripts that make a shell complete the words after the program's name, made from the declarations.
///
/// A script asks nothing of the program while a word is completed, and needs nothing but its shell.
package struct Completions {
  package enum Shell: String, Sendable, CaseIterable { case bash, zsh, fish }

  let program: Program
  /// The names of each catalogue, besides which a directory can be given.
  let catalogues: [(catalogue: Catalogue, names: [Name])]

  /// A word to complete, and what it means.
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

  /// What a word may become.
  enum Candidates {
    /// Nothing that is known: a number, a text.
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
