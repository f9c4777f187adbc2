/// The first step: splits arguments into options and operands. Does not convert or look up values.
package enum Parser {
  /// Reads the arguments that follow the command's name.
  ///
  /// `--name value` and `--name=value` are equivalent. The value may be a negative number or `-`; any other value that
  /// begins with a dash must be joined by `=`. `--` ends the options; `-` is an operand. Options and operands may be
  /// mixed.
  package static func parse(
    _ arguments: [Argument], for command: CommandDeclaration
  ) throws(UsageError) -> ParsedArguments {
    var parsed = ParsedArguments(command: command)
    var index = 0
    while index < arguments.count {
      let argument = arguments[index]
      index += 1
      if argument.bytes == Array("--".utf8) {
        parsed.operands += arguments[index...]
        break
      }
      guard argument.bytes.first == UInt8(ascii: "-"), argument.bytes.count > 1 else {
        parsed.operands.append(argument)
        continue
      }
      let (option, joined, typed) = try option(argument, in: command)
      guard option.kind != nil else {
        if let joined { throw .unexpectedValue(option, value: joined.text) }
        parsed.given.append(.init(option: option, value: nil, typed: typed))
        continue
      }
      if let joined {
        parsed.given.append(.init(option: option, value: joined, typed: typed))
        continue
      }
      guard index < arguments.count, !arguments[index].looksLikeOption else {
        throw .missingValue(option, next: index < arguments.count ? arguments[index] : nil)
      }
      parsed.given.append(.init(option: option, value: arguments[index], typed: typed))
      index += 1
    }
    return parsed
  }

  /// Returns the option that an argument names, the value joined to it by `=`, and the name as typed.
  private static func option(
    _ argument: Argument, in command: CommandDeclaration
  ) throws(UsageError) -> (OptionDeclaration, joined: Argument?, typed: String) {
    let bytes = argument.bytes
    guard bytes.starts(with: Array("--".utf8)) else {
      let typed = argument.text
      let letters = typed.dropFirst()
      if letters.count == 1, let letter = letters.first, let option = command.option(short: letter) {
        return (option, nil, typed)
      }
      throw .unknownOption(typed, command: command, nearest: nearest(String(letters), in: command))
    }
    let equals = bytes.firstIndex(of: UInt8(ascii: "="))
    let name = String(decoding: bytes[2..<(equals ?? bytes.endIndex)], as: UTF8.self)
    let joined = equals.map { Argument(bytes: Array(bytes[($0 + 1)...])) }
    if let option = command.option(named: name) { return (option, joined, "--" + name) }
    throw .unknownOption("--" + name, command: command, nearest: nearest(name, in: command))
  }

  /// Returns the spelling of the option that was probably meant. Knows the names in other tools, and reads `_` as `-`.
  package static func nearest(_ typed: String, in command: CommandDeclaration) -> String? {
    let name = String(typed.map { $0 == "_" ? "-" : $0 })
    if let foreign = command.options.first(where: { $0.foreignNames.contains(name) }) { return foreign.spelling }
    return Nearest.name(to: name, in: command.options.map(\.name)).map { "--" + $0 }
  }
}
