/// All that is known about one command.
struct CommandDeclaration: Sendable {
  let name: String
  /// One line that finishes "mlm NAME: …".
  let summary: String
  let operands: Operands
  /// In the order of help. Every command also has `--help`.
  let options: [OptionDeclaration]
  /// Paragraphs for `--help`.
  let description: [String]
  let examples: [Example]
  /// Environment variables: name and meaning.
  let environment: [(name: String, meaning: String)]

  struct Example: Sendable {
    let command: String
    let meaning: String
  }

  enum Operands: Sendable {
    case none
    /// At least one file; `-` is standard input.
    case files
    /// Texts, each one input; none means that inputs come from elsewhere.
    case texts
    /// Names of presets, where an option asks for them.
    case presets
    /// One of these words, which `placeholder` stands for in help.
    case oneOf([String], placeholder: String, isOptional: Bool)

    var synopsis: String {
      switch self {
      case .none: ""
      case .files: " FILE..."
      case .texts: " [TEXT...]"
      case .presets: " [NAME...]"
      case .oneOf(_, let placeholder, let isOptional): isOptional ? " [\(placeholder)]" : " \(placeholder)"
      }
    }
  }

  var usage: String { "mlm \(name)\(options.isEmpty ? "" : " [OPTIONS]")\(operands.synopsis)" }
}

extension CommandDeclaration {
  /// The option every command has.
  static let help = Option<Bool>.flag(
    "help", short: "h", in: .general, help: "show help; -h is short, --help teaches",
    details: "Shows help on standard output and ends: -h one line an option, --help all there is to say.")

  func option(named name: String) -> OptionDeclaration? { options.first { $0.name == name } }
  func option(short: Character) -> OptionDeclaration? { options.first { $0.short == short } }
}
