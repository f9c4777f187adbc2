/// The arguments typed after a command's name, in order. The second step reads values from it.
package struct ParsedArguments: Sendable {
  package struct Given: Sendable {
    package let option: OptionDeclaration
    package let value: Argument?
    /// The option as typed: `-h` and `--help` differ.
    package let typed: String

    package init(option: OptionDeclaration, value: Argument?, typed: String) {
      self.option = option
      self.value = value
      self.typed = typed
    }

    /// The value as text; nil for a flag.
    package var text: String? { option.kind?.isPath == true ? value?.path : value?.text }
  }

  package let command: CommandDeclaration
  package var given: [Given] = []
  package var operands: [Argument] = []

  package init(command: CommandDeclaration) { self.command = command }

  /// Whether the option was given.
  package func has<Value>(_ option: Option<Value>) -> Bool {
    given.contains { $0.option.name == option.declaration.name }
  }

  /// Returns the option's value: the last one typed (all of them if values add up), or the default.
  package func value<Value>(of option: Option<Value>) throws(UsageError) -> Value {
    let declaration = option.declaration
    let occurrences = given.filter { $0.option.name == declaration.name }
    guard let last = occurrences.last else { return option.defaultValue }
    let texts = (declaration.isRepeatable ? occurrences : [last]).map { $0.text ?? "" }
    guard let value = option.convert(texts) else {
      let culprit = texts.first { option.convert([$0]) == nil } ?? ""
      throw .badValue(declaration, value: culprit)
    }
    return value
  }

  /// Returns the operands as file names. At least one is required, and standard input can be read only once.
  package func files() throws(UsageError) -> [String] {
    guard !operands.isEmpty else { throw .missingFile(command) }
    let names = operands.map(\.path)
    if names.contains("") { throw UsageError("a FILE name is empty") }
    if names.filter({ $0 == "-" }).count > 1 { throw UsageError("standard input (-) was given more than once") }
    return names
  }

  /// Throws if there are operands.
  package func refuseOperands() throws(UsageError) {
    if let first = operands.first { throw .unexpectedOperand(first, command: command) }
  }
}

/// Mutually exclusive options.
extension ParsedArguments {
  /// Refuses mutually exclusive options.
  package func checkExclusions() throws(UsageError) {
    for option in command.options {
      guard let one = given.last(where: { $0.option.name == option.name }) else { continue }
      for exclusion in option.excludes {
        guard let reason = exclusion.reason, let other = given.first(where: { isExcluded($0, by: one, exclusion) })
        else { continue }
        var names = [exclusion.spelling(of: one, value: exclusion.value)]
        names.append(exclusion.spelling(of: other, value: exclusion.otherValue))
        // The options of a group are named in its order.
        if let rank = exclusion.names.firstIndex(of: one.option.name),
          let otherRank = exclusion.names.firstIndex(of: other.option.name), otherRank < rank
        {
          names.swapAt(0, 1)
        }
        throw .conflict(names[0], names[1], why: reason, hint: exclusion.hint)
      }
    }
  }

  /// Whether the typed arguments override an option of a configuration file, because one of them is the same option or
  /// excludes it.
  package func overrides(_ other: Given) -> Bool {
    given.contains { one in
      one.option.name == other.option.name
        || one.option.excludes.contains { $0.overridesFile && isExcluded(other, by: one, $0) }
    }
  }

  private func isExcluded(_ other: Given, by one: Given, _ exclusion: Exclusion) -> Bool {
    guard other.option.name != one.option.name, exclusion.names.contains(other.option.name) else { return false }
    func has(_ value: String?, _ option: Given) -> Bool {
      guard let value else { return true }
      // The last one counts.
      return (given.last { $0.option.name == option.option.name } ?? option).text == value
    }
    return has(exclusion.value, one) && has(exclusion.otherValue, other)
  }
}

extension Exclusion {
  fileprivate func spelling(of given: ParsedArguments.Given, value: String?) -> String {
    given.option.spelling + (value.map { " " + $0 } ?? "")
  }
}
