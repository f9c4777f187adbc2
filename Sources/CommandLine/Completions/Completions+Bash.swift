extension Completions {
  /// For bash 4.4 and newer, with or without the package bash-completion.
  var bash: String {
    """
    # Completions of \(name) for bash; made by '\(name) completions bash'.

    # What the value of option $2 of command $1 may be: sets the words, and the paths besides them (file or directory).
    # Fails where the option takes no value.
    _\(name)_value() {
      case "$1 $2" in
    \(valueCases)    *) return 1 ;;
      esac
    }

    # The same for what may stand beside the options of command $1.
    _\(name)_operand() {
      case "$1" in
    \(operandCases)  esac
    }

    # The options of command $1.
    _\(name)_option() {
      case "$1" in
    \(optionCases)  esac
    }

    _\(name)() {
      local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
      local index prefix= words= paths= word only_operands=
      for ((index = 2; index < COMP_CWORD; index++)); do
        [[ ${COMP_WORDS[index]} == -- ]] && only_operands=1
      done
      # --name=value is three words to bash, or one where COMP_WORDBREAKS was changed.
      if [[ $current == = ]]; then
        current=
      elif [[ $before == = ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
      elif [[ $current == --*=* ]]; then
        before=${current%%=*} prefix=$before= current=${current#*=}
      fi

      if ((COMP_CWORD == 1)); then
        words=\(words(commands.map(\.name) + program.options.flatMap(\.spellings)))
      elif [[ $only_operands ]]; then
        _\(name)_operand "$command"
      elif [[ $before == -* ]] && _\(name)_value "$command" "$before"; then
        :
      elif [[ $current == -* ]]; then
        _\(name)_option "$command"
      else
        _\(name)_operand "$command"
      fi

      COMPREPLY=()
      while IFS= read -r word; do
        COMPREPLY+=("$prefix$word")
      done < <(
        compgen -W "$words" -- "$current"
        # Paths are best left to the shell, which knows how to quote them; but it knows nothing of a prefix.
        if [[ $prefix && $paths ]]; then compgen -A "$paths" -- "$current"; fi
      )
      if [[ ! $prefix ]]; then
        case $paths in
          file) compopt -o default ;;
          directory) compopt -o plusdirs ;;
        esac
      fi
    }

    complete -F _\(name) \(name)

    """
  }

  private func words(_ names: [String]) -> String { ShellText.quoted(names.joined(separator: " ")) }

  /// Branches of `case "$command $option"`: the options with a value, those of the same candidates together.
  private var valueCases: String {
    var branches: [(action: String, patterns: [String])] = []
    for command in commands {
      for option in command.options {
        guard let kind = option.kind else { continue }
        let action = action(for: Self.candidates(for: kind))
        let patterns = option.spellings.map { "'\(command.name) \($0)'" }
        if let index = branches.firstIndex(where: { $0.action == action }) {
          branches[index].patterns += patterns
        } else {
          branches.append((action, patterns))
        }
      }
    }
    return branches.reduce("") { text, branch in
      text + "    \(branch.patterns.joined(separator: " | \\\n    ")))\n      \(branch.action)\n      ;;\n"
    }
  }

  private var operandCases: String {
    commands.reduce("") { $0 + "    \($1.name)) \(action(for: Self.candidates(for: $1.operands))) ;;\n" }
  }

  private var optionCases: String {
    commands.reduce("") { $0 + "    \($1.name)) words=\(words($1.options.flatMap(\.spellings))) ;;\n" }
  }

  private func action(for candidates: Candidates) -> String {
    switch candidates {
    case .unknown: ":"
    case .files: "paths=file"
    case .directories: "paths=directory"
    case .entries(let catalogue):
      "words=\(words(names(of: catalogue).map(\.word))) paths=directory"
    case .words(let names): "words=\(words(names))"
    }
  }
}
