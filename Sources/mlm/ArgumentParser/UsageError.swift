/// Wrong usage: nothing was done, and the status is 2.
struct UsageError: Error, Equatable {
  let message: String
  let hint: String?

  init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }
}

/// The wording, one function per message.
extension UsageError {
  static func unknownCommand(_ typed: String, nearest: String?) -> UsageError {
    UsageError(
      "unknown command '\(typed)'",
      hint: nearest.map { "did you mean 'mlm \($0)'?" } ?? "mlm --help lists the commands")
  }

  static func unknownOption(_ typed: String, command: CommandDeclaration, nearest: String?) -> UsageError {
    let hint: String
    if let nearest {
      hint = "did you mean \(nearest)?"
    } else if case .texts = command.operands {
      hint = "'mlm \(command.name) -h' lists the options; put -- before a text that begins with a dash"
    } else {
      hint = "'mlm \(command.name) -h' lists the options"
    }
    return UsageError("unknown option \(typed) for 'mlm \(command.name)'", hint: hint)
  }

  static func optionBeforeCommand(_ typed: String) -> UsageError {
    UsageError("unknown option \(typed)", hint: "options follow the command: mlm COMMAND \(typed) …")
  }

  static func missingValue(_ option: OptionDeclaration, next: Argument?) -> UsageError {
    let example = "\(option.spelling) \(option.valueName)"
    guard let next, next.looksLikeOption else {
      return UsageError("\(option.spelling) needs a value", hint: "write \(example)")
    }
    return UsageError(
      "\(option.spelling) needs a value, and \(next.text) looks like an option",
      hint: "write \(example), or \(option.spelling)=\(next.text) if that is the value")
  }

  static func unexpectedValue(_ option: OptionDeclaration, value: String) -> UsageError {
    UsageError("\(option.spelling) takes no value, but '\(value)' was given", hint: "write \(option.spelling) alone")
  }

  static func badValue(_ option: OptionDeclaration, value: String) -> UsageError {
    let expected = option.kind?.expectation ?? "expected"
    var hint: String?
    if case .choice(let names)? = option.kind {
      hint = Nearest.name(to: value, in: names).map { "did you mean \(option.spelling) \($0)?" }
    }
    return UsageError("\(option.spelling): '\(value)' is not \(expected)", hint: hint)
  }

  static func conflict(_ one: String, _ other: String, why: String, hint: String? = nil) -> UsageError {
    UsageError("\(one) and \(other) do not go together: \(why)", hint: hint)
  }

  static func missingFile(_ command: CommandDeclaration) -> UsageError {
    UsageError("no FILE was given", hint: "usage: \(command.usage); - as FILE is standard input")
  }

  /// An operand that is missing, or none of the words it can be.
  static func badOperand(
    _ operand: Argument?, of names: [String], placeholder: String, command: CommandDeclaration
  ) -> UsageError {
    guard let typed = operand?.text else {
      return UsageError("no \(placeholder) was given", hint: "usage: \(command.usage); it is \(ValueKind.list(names))")
    }
    return UsageError(
      "'\(typed)' is not \(ValueKind.list(names))",
      hint: Nearest.name(to: typed, in: names).map { "did you mean 'mlm \(command.name) \($0)'?" })
  }

  static func unexpectedOperand(_ operand: Argument, command: CommandDeclaration) -> UsageError {
    UsageError("unexpected argument '\(operand.text)'", hint: "usage: \(command.usage)")
  }
}
