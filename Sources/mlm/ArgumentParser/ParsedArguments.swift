/// What was typed after a command's name, in order. The second step asks it for values.
struct ParsedArguments: Sendable {
  struct Given: Sendable {
    let option: OptionDeclaration
    let value: Argument?
    /// The option as it was typed: `-h` and `--help` differ.
    let typed: String
  }

  let command: CommandDeclaration
  var given: [Given] = []
  var operands: [Argument] = []

  init(command: CommandDeclaration) { self.command = command }

  /// Whether the option was given at all.
  func has<Value>(_ option: Option<Value>) -> Bool {
    given.contains { $0.option.name == option.declaration.name }
  }

  /// The option's value: what was typed last (all of it, where values add up), or the default.
  func value<Value>(of option: Option<Value>) throws(UsageError) -> Value {
    let declaration = option.declaration
    let occurrences = given.filter { $0.option.name == declaration.name }
    guard let last = occurrences.last else { return option.defaultValue }
    let isPath = declaration.kind?.isPath ?? false
    let texts = (declaration.isRepeatable ? occurrences : [last]).map {
      (isPath ? $0.value?.path : $0.value?.text) ?? ""
    }
    guard let value = option.convert(texts) else {
      let culprit = texts.first { option.convert([$0]) == nil } ?? ""
      throw .badValue(declaration, value: culprit)
    }
    return value
  }

  /// The operands as names of files. At least one is needed, and standard input can be read only once.
  func files() throws(UsageError) -> [String] {
    guard !operands.isEmpty else { throw .missingFile(command) }
    let names = operands.map(\.path)
    if names.contains("") { throw UsageError("the name of a FILE is empty") }
    if names.filter({ $0 == "-" }).count > 1 { throw UsageError("standard input (-) was given more than once") }
    return names
  }

  /// Checks that there are no operands.
  func refuseOperands() throws(UsageError) {
    if let first = operands.first { throw .unexpectedOperand(first, command: command) }
  }
}
