/// Help, made from the declarations.
enum Help {
  static let width = 80
  /// Where the explanations of `-h` begin.
  static let column = 30

  // MARK: One command

  /// `mlm fit -h`: one line an option, the default at the end.
  static func short(_ command: CommandDeclaration) -> String {
    var text = "mlm \(command.name): \(command.summary)\n\nUsage: \(command.usage)\n"
    for (group, options) in groups(of: command) {
      text += "\n\(group.rawValue):\n"
      for option in options { text += line(option.synopsis, shortHelp(option)) }
    }
    return text + "\n'mlm \(command.name) --help' says more and gives examples.\n"
  }

  /// `mlm fit --help`: what it does, how, examples, environment, exit status.
  static func long(_ command: CommandDeclaration) -> String {
    var text = "mlm \(command.name): \(command.summary)\n\nUsage: \(command.usage)\n"
    for paragraph in command.description { text += "\n" + wrapped(paragraph, indent: 0) }
    for (group, options) in groups(of: command) {
      text += "\n\(group.rawValue):\n"
      for option in options {
        text += "  \(option.synopsis)\n" + wrapped(explanation(of: option), indent: 6)
      }
    }
    if !command.examples.isEmpty {
      text += "\nExamples:\n"
      for example in command.examples {
        text += "  # \(example.meaning)\n  \(example.command)\n"
      }
    }
    if !command.environment.isEmpty {
      text += "\nEnvironment:\n"
      for variable in command.environment { text += "  \(variable.name)\n" + wrapped(variable.meaning, indent: 6) }
    }
    return text + "\n" + exitStatus + "\nMore: 'mlm help' lists the commands, 'mlm manual | man -l -' is the manual.\n"
  }

  // MARK: All commands

  /// `mlm -h`, and what `mlm` alone answers.
  static func short(_ commands: [CommandDeclaration]) -> String {
    var text = """
      mlm: masked language modelling with DistilBERT

      Usage: mlm COMMAND [OPTIONS] …

      Commands:

      """
    for command in commands { text += line(command.name, command.summary, column: 15) }
    text += line("help", "help on a command", column: 15)
    return text + "\n'mlm COMMAND -h' lists a command's options; 'mlm --version' shows the version.\n"
  }

  /// `mlm --help`.
  static func long(_ commands: [CommandDeclaration], examples: [CommandDeclaration.Example]) -> String {
    var text = short(commands)
    text += "\n"
    text += wrapped(conventions + " 'mlm COMMAND --help' says all about a command.", indent: 0)
    text += "\nExamples:\n"
    for example in examples { text += "  # \(example.meaning)\n  \(example.command)\n" }
    return text + "\n" + exitStatus + "\n"
      + wrapped(
        "More: 'mlm manual | man -l -' is the manual; 'mlm completions --help' says how a shell comes to complete "
          + "commands, options, files and presets.", indent: 0)
  }

  /// What holds for all commands.
  static let conventions = """
    Results go to standard output; progress, notes and errors go to standard error. Options follow the command; \
    --name value and --name=value are the same, -- ends the options, and - as a FILE is standard input.
    """

  private static var exitStatus: String {
    ExitCode.table.reduce("Exit status:\n") { $0 + line(String($1.status), $1.meaning, column: 7) }
  }

  // MARK: Pieces

  /// The options by heading.
  private static func groups(of command: CommandDeclaration) -> [(OptionGroup, [OptionDeclaration])] {
    OptionGroup.allCases.compactMap { group in
      let options = command.options.filter { $0.group == group }
      return options.isEmpty ? nil : (group, options)
    }
  }

  private static func shortHelp(_ option: OptionDeclaration) -> String {
    option.help + (option.defaultText.map { " [\($0)]" } ?? "")
  }

  /// The whole story, the default at the end.
  static func explanation(of option: OptionDeclaration) -> String {
    var text = option.details.isEmpty ? option.help : option.details
    if let defaultText = option.defaultText { text += " [default: \(defaultText)]" }
    return text
  }

  private static func line(_ left: String, _ right: String, column: Int = column) -> String {
    let start = "  " + left
    let gap = max(2, column - start.count)
    return start + String(repeating: " ", count: gap) + right + "\n"
  }

  /// The text in lines of at most `width` columns, broken at spaces.
  static func wrapped(_ text: String, indent: Int) -> String {
    let margin = String(repeating: " ", count: indent)
    var lines = ""
    var current = ""
    for word in text.split(separator: " ") {
      if !current.isEmpty, indent + current.count + 1 + word.count > width {
        lines += margin + current + "\n"
        current = ""
      }
      current += (current.isEmpty ? "" : " ") + word
    }
    return lines + margin + current + "\n"
  }
}
