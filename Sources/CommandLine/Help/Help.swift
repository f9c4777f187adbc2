/// Help, generated from the declarations.
package struct Help {
  static let width = 80
  /// The column at which the explanations of `-h` begin.
  static let column = 30

  package let program: Program

  package init(_ program: Program) { self.program = program }

  // MARK: One command

  /// `mlm fit -h`: one line per option, the default at the end.
  package func short(_ command: CommandDeclaration) -> String {
    let more = "\n'\(command.call) --help' shows details and examples.\n"
    return head(command) + Self.options(of: command) + more
  }

  /// One line per option, by heading.
  package static func options(of command: CommandDeclaration) -> String {
    var text = ""
    for (group, options) in command.optionsByGroup {
      text += "\n\(group.title):\n"
      for option in options { text += line(option.synopsis, shortHelp(option)) }
    }
    return text
  }

  /// `mlm fit --help`: description, options, examples, environment, exit status.
  package func long(_ command: CommandDeclaration) -> String {
    var text = head(command)
    for paragraph in command.description { text += "\n" + Self.wrapped(paragraph, indent: 0) }
    for (group, options) in command.optionsByGroup {
      text += "\n\(group.title):\n"
      for option in options {
        text += "  \(option.synopsis)\n" + Self.wrapped(Self.explanation(of: option), indent: 6)
      }
    }
    if !command.examples.isEmpty { text += examples(command.examples) }
    if !command.environment.isEmpty {
      text += "\nEnvironment:\n"
      for variable in command.environment { text += "  \(variable.name)\n" + Self.wrapped(variable.meaning, indent: 6) }
    }
    return text + "\n" + exitStatus + "\n" + Self.wrapped(program.more.ofCommand, indent: 0)
  }

  private func head(_ command: CommandDeclaration) -> String {
    "\(command.call): \(command.summary)\n\nUsage: \(command.usage)\n"
  }

  // MARK: All commands

  /// `mlm -h`, and `mlm` alone.
  package func short() -> String {
    var text = """
      \(program.name): \(program.summary)

      Usage: \(program.name) COMMAND [OPTIONS] …

      Commands:

      """
    for command in program.commands { text += Self.line(command.name, command.summary, column: 15) }
    if !program.topics.isEmpty { text += "\nTopics of '\(program.name) help':\n" }
    for topic in program.topics { text += Self.line(topic.name, topic.title, column: 15) }
    let name = program.name
    return text + "\n'\(name) COMMAND -h' lists a command's options; '\(name) --version' shows the version.\n"
  }

  /// `mlm --help`.
  package func long() -> String {
    var text = short()
    text += "\n"
    text += Self.wrapped(
      program.conventions + " '\(program.name) COMMAND --help' shows the full help of a command.", indent: 0)
    text += examples(program.examples)
    return text + "\n" + exitStatus + "\n" + Self.wrapped(program.more.ofProgram, indent: 0)
  }

  // MARK: Pieces

  private func examples(_ examples: [CommandDeclaration.Example]) -> String {
    examples.reduce("\nExamples:\n") { $0 + "  # \($1.meaning)\n  \($1.command)\n" }
  }

  private var exitStatus: String {
    program.exitStatuses.reduce("Exit status:\n") { $0 + Self.line(String($1.status), $1.meaning, column: 7) }
  }

  private static func shortHelp(_ option: OptionDeclaration) -> String {
    option.help + (option.defaultText.map { " [\($0)]" } ?? "")
  }

  /// The full explanation, the default at the end.
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
  package static func wrapped(_ text: String, indent: Int, width: Int = width) -> String {
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
