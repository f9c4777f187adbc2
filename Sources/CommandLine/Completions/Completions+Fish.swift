extension Completions {
  /// For fish 3.1 and newer.
  var fish: String {
    var text = """
      # Completions of \(name) for fish; made by '\(name) completions fish'.

      # Whether the command is one of these; without any, whether there is none yet.
      function __\(name)_command
          set -l words (commandline -opc)
          if test (count $argv) -eq 0
              test (count $words) -eq 1
          else
              test (count $words) -gt 1; and contains -- $words[2] $argv
          end
      end

      \(catalogues.map(function).joined())# Files only where a command takes some.
      complete -c \(name) -f


      """
    for option in program.options { text += line(for: option, condition: "__\(name)_command") }
    for command in commands {
      text += "complete -c \(name) -n __\(name)_command -a \(command.name) -d \(Self.quoted(command.summary))\n"
    }
    for command in commands {
      text += "\n"
      let condition = Self.quoted("__\(name)_command \(command.name)")
      switch Self.candidates(for: command.operands) {
      case .unknown: break
      case let candidates: text += "complete -c \(name) -n \(condition) \(arguments(for: candidates))\n"
      }
      for option in command.options { text += line(for: option, condition: condition) }
    }
    return text
  }

  private func function(_ catalogue: Catalogue, _ names: [Name]) -> String {
    """
    function __\(name)_\(catalogue.plural)
        printf '%s\\t%s\\n' \(names.map { "\(Self.quoted($0.word)) \(Self.quoted($0.meaning))" }.joined(separator: " "))
        __fish_complete_directories (string replace -r '^--[^=]*=' '' -- (commandline -ct))
    end


    """
  }

  private func line(for option: OptionDeclaration, condition: String) -> String {
    var line = "complete -c \(name) -n \(condition)" + (option.short.map { " -s \($0)" } ?? "") + " -l \(option.name)"
    if let kind = option.kind { line += " -r " + arguments(for: Self.candidates(for: kind)) }
    return line + " -d \(Self.quoted(option.help))\n"
  }

  private func arguments(for candidates: Candidates) -> String {
    switch candidates {
    case .unknown: "-f"
    case .files: "-F"
    case .directories:
      "-f -a '(__fish_complete_directories (string replace -r \"^--[^=]*=\" \"\" -- (commandline -ct)))'"
    case .entries(let catalogue): "-f -a '(__\(name)_\(catalogue.plural))'"
    case .words(let names): "-f -a \(Self.quoted(names.joined(separator: " ")))"
    }
  }

  /// In fish, `\` quotes within single quotes too.
  private static func quoted(_ text: String) -> String {
    "'" + text.reduce("") { $0 + ($1 == "'" || $1 == "\\" ? "\\" : "") + String($1) } + "'"
  }
}
