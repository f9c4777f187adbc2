/// An error of usage: nothing was done, and the exit status is 2.
package struct UsageError: Error, Equatable {
  package let message: String
  package let hint: String?

  package init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }
}

/// The messages, one function each.
extension UsageError {
  package static func unknownCommand(_ typed: String, of program: Program) -> UsageError {
    let nearest = Nearest.name(to: typed, in: program.commands.map(\.name))
    return UsageError(
      "unknown command '\(typed)'",
      hint: nearest.map { "did you mean '\(program.name) \($0)'?" } ?? "\(program.name) --help lists the commands")
  }

  package static func unknownOption(_ typed: String, command: CommandDeclaration, nearest: String?) -> UsageError {
    let hint: String
    if let nearest {
      hint = "did you mean \(nearest)?"
    } else if case .texts = command.operands {
      hint = "'\(command.call) -h' lists the options; write -- before a text that begins with a dash"
    } else {
      hint = "'\(command.call) -h' lists the options"
    }
    return UsageError("unknown option \(typed) for '\(command.call)'", hint: hint)
  }

  package static func optionBeforeCommand(_ typed: String, of program: Program) -> UsageError {
    UsageError("unknown option \(typed)", hint: "options follow the command: \(program.name) COMMAND \(typed) …")
  }

  package static func missingValue(_ option: OptionDeclaration, next: Argument?) -> UsageError {
    let example = "\(option.spelling) \(option.valueName)"
    guard let next, next.looksLikeOption else {
      return UsageError("\(option.spelling) needs a value", hint: "write \(example)")
    }
    return UsageError(
      "\(option.spelling) needs a value, and \(next.text) looks like an option",
      hint: "write \(example), or \(option.spelling)=\(next.text) if that is the value")
  }

  package static func unexpectedValue(_ option: OptionDeclaration, value: String) -> UsageError {
    UsageError("\(option.spelling) takes no value, but '\(value)' was given", hint: "write \(option.spelling) alone")
  }

  package static func badValue(_ option: OptionDeclaration, value: String) -> UsageError {
    let expected = option.kind?.expectation ?? "expected"
    let hint = option.nearestValue(to: value).map { "did you mean \(option.spelling) \($0)?" }
    return UsageError("\(option.spelling): '\(value)' is not \(expected)", hint: hint)
  }

  package static func conflict(_ one: String, _ other: String, why: String, hint: String? = nil) -> UsageError {
    UsageError("\(one) and \(other) are mutually exclusive: \(why)", hint: hint)
  }

  package static func missingFile(_ command: CommandDeclaration) -> UsageError {
    UsageError("no FILE was given", hint: "usage: \(command.usage); - as FILE is standard input")
  }

  /// An operand that is missing or is not one of the allowed words.
  package static func badOperand(
    _ operand: Argument?, of names: [String], placeholder: String, command: CommandDeclaration
  ) -> UsageError {
    guard let typed = operand?.text else {
      return UsageError(
        "no \(placeholder) was given", hint: "usage: \(command.usage); \(placeholder) is \(ValueKind.list(names))")
    }
    return UsageError(
      "'\(typed)' is not \(ValueKind.list(names))",
      hint: Nearest.name(to: typed, in: names).map { "did you mean '\(command.call) \($0)'?" })
  }

  package static func unexpectedOperand(_ operand: Argument, command: CommandDeclaration) -> UsageError {
    UsageError("unexpected argument '\(operand.text)'", hint: "usage: \(command.usage)")
  }
}
