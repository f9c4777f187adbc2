extension Completions {
  /// A function for `fpath`, under the program's name with a `_` before it; sourced, it sets itself up.
  var zsh: String {
    """
    #compdef \(name)
    # Completions of \(name) for zsh; made by '\(name) completions zsh'.

    _\(name)_commands() {
      local -a commands=(
    \(list(commands.map { Name(word: $0.name, meaning: $0.summary) }))  )
      _describe -t commands command commands
    }

    \(catalogues.map(function).joined())_\(name)() {
      local curcontext=$curcontext state line result=1
      local -A opt_args
      # Options after the command are the command's own.
      _arguments -C -A '-*' : \\
    \(lines(program.options.flatMap { specifications(of: $0, isAlone: true) }, indent: 4))    '1: :_\(name)_commands' \\
        '*:: :->arguments' && result=0
      if [[ $state == arguments ]]; then
        case $line[1] in
    \(commands.map(branch).joined())    esac
      fi
      return result
    }

    # As a function of fpath it was called for a completion; from ~/.zshrc it is only to be known.
    if [[ $funcstack[1] == _\(name) ]]; then
      _\(name) "$@"
    else
      compdef _\(name) \(name)
    fi

    """
  }

  private func function(_ catalogue: Catalogue, _ names: [Name]) -> String {
    """
    _\(name)_\(catalogue.plural)() {
      local -a \(catalogue.plural)=(
    \(list(names))  )
      local result=1
      _describe -t \(catalogue.plural) \(catalogue.noun) \(catalogue.plural) && result=0
      _files -/ && result=0
      return result
    }


    """
  }

  /// Elements of an array for `_describe`: `name:meaning`.
  private func list(_ names: [Name]) -> String {
    names.reduce("") { $0 + "    \(ShellText.quoted("\(Self.escaped($1.word, ":")):\($1.meaning)"))\n" }
  }

  private func branch(_ command: CommandDeclaration) -> String {
    let all =
      command.options.flatMap { specifications(of: $0, isAlone: false) } + operands(of: command)
    return
      "      \(command.name))\n        _arguments -S : \\\n\(lines(all, indent: 10))          && result=0\n        ;;\n"
  }

  /// Arguments of `_arguments`, one a line, to be gone on with.
  private func lines(_ specifications: [String], indent: Int) -> String {
    specifications.reduce("") { $0 + String(repeating: " ", count: indent) + ShellText.quoted($1) + " \\\n" }
  }

  /// One for each spelling.
  ///
  /// - Parameter isAlone: whether it stands in place of a command, and nothing may follow.
  private func specifications(of option: OptionDeclaration, isAlone: Bool) -> [String] {
    let isHelp = option.name == CommandDeclaration.help.declaration.name
    let others = isAlone || isHelp ? "(- *)" : option.isRepeatable ? "*" : ""
    var rest = "[" + Self.escaped(option.help, "[]:") + "]"
    if let kind = option.kind {
      rest = "=" + rest + ":" + Self.escaped(option.valueName, ":") + ":" + action(for: Self.candidates(for: kind))
    }
    return option.spellings.map { others + $0 + rest }
  }

  private func operands(of command: CommandDeclaration) -> [String] {
    let action = action(for: Self.candidates(for: command.operands))
    switch command.operands {
    case .none: return []
    case .files: return ["*:FILE:" + action]
    case .texts: return ["*:TEXT:" + action]
    case .entries: return ["*:NAME:" + action]
    case .oneOf(_, let placeholder, let isOptional): return [(isOptional ? "1::" : "1:") + placeholder + ":" + action]
    }
  }

  private func action(for candidates: Candidates) -> String {
    switch candidates {
    // A space: nothing to offer, but what is expected is said.
    case .unknown: " "
    case .files: "_files"
    case .directories: "_files -/"
    case .entries(let catalogue): "_\(name)_\(catalogue.plural)"
    case .words(let names): "(" + names.joined(separator: " ") + ")"
    }
  }

  private static func escaped(_ text: String, _ characters: String) -> String {
    text.reduce("") { $0 + (characters.contains($1) || $1 == "\\" ? "\\" : "") + String($1) }
  }
}
