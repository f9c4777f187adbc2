import CommandLine

extension ParsedArguments {
  /// The command as one would type it again in a POSIX shell (control characters: bash), in the order it was typed.
  ///
  /// - Parameters:
  ///   - leavingOut: options that say nothing about the result.
  ///   - preset: what was taken where none was typed.
  func commandLine(leavingOut names: Set<String> = [], preset: String? = nil) -> String {
    var words = ["mlm", command.name]
    if let preset, !given.contains(where: { $0.option.name == CommonOptions.preset.declaration.name }) {
      words += [CommonOptions.preset.declaration.spelling, ShellText.quoted(preset)]
    }
    for option in given where !names.contains(option.option.name) {
      guard let value = option.option.kind?.isPath == true ? option.value?.path : option.value?.text else {
        words.append(option.option.spelling)
        continue
      }
      let quoted = ShellText.quoted(value)
      words += value.hasPrefix("-") ? ["\(option.option.spelling)=\(quoted)"] : [option.option.spelling, quoted]
    }
    if operands.contains(where: { $0.looksLikeOption || $0.bytes == Array("--".utf8) }) { words.append("--") }
    return (words + operands.map { ShellText.quoted($0.path) }).joined(separator: " ")
  }
}
