/// What was typed after a command's name, in order. The second step asks it for values.
package struct ParsedArguments: Sendable {
  package struct Given: Sendable {
    package let option: OptionDeclaration
    package let value: Argument?
    /// The option as it was typed: `-h` and `--help` differ.
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

  /// Whether the option was given at all.
  package func has<Value>(_ option: Option<Value>) -> Bool {
    given.contains { $0.option.name == option.declaration.name }
  }

  /// The option's value: what was typed last (all of it, where values add up), or the default.
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

  /// The operands as names of files. At least one is needed, and standard input can be read only once.
  package func files() throws(UsageError) -> [String] {
    guard !operands.isEmpty else { throw .missingFile(command) }
    let names = operands.map(\.path)
    if names.contains("") { throw UsageError("the name of a FILE is empty") }
    if names.filter({ $0 == "-" }).count > 1 { throw UsageError("standard input (-) was given more than once") }
    return names
  }

  /// Checks that there are no operands.
  package func refuseOperands() throws(UsageError) {
    if let first = operands.first { throw .unexpectedOperand(first, command: command) }
  }
}

/// Options that do not go together.
extension ParsedArguments {
  /// Refuses options of which one excludes another.
  package func checkExclusions() throws(UsageError) {
    for option in command.options {
      guard let one = given.last(where: { $0.option.name == option.name }) else { continue }
      for exclusion in option.excludes {
        guard let reason = exclusion.reason, let other = given.first(where: { isExcluded($0, by: one, exclusion) })
        else { continue }
        var names = [exclusion.spelling(of: one, value: exclusion.value)]
        names.append(exclusion.spelling(of: other, value: exclusion.otherValue))
        // Of a group, in its order.
        if let rank = exclusion.names.firstIndex(of: one.option.name),
          let otherRank = exclusion.names.firstIndex(of: other.option.name), otherRank < rank
        {
          names.swapAt(0, 1)
        }
        throw .conflict(names[0], names[1], why: reason, hint: exclusion.hint)
      }
    }
  }

  /// Whether what was given overrides an option of a configuration file: it is the same option, or it excludes that
  /// one.
  package func overrides(_ other: Given) -> Bool {
    given.contains { one in
      one.option.name == other.option.name || one.option.excludes.contains { isExcluded(other, by: one, $0) }
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
