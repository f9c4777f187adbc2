import CommandLine

/// The commands, in the order of help.
enum Command: String, CaseIterable {
  case fit, predict, evaluate, tokenize, info, presets, completions, manual

  var declaration: CommandDeclaration {
    switch self {
    case .fit: FitOptions.declaration
    case .predict: PredictOptions.declaration
    case .evaluate: EvaluateOptions.declaration
    case .tokenize: TokenizeOptions.declaration
    case .info: InfoOptions.declaration
    case .presets: PresetsOptions.declaration
    case .completions: CompletionsOptions.declaration
    case .manual: ManualOptions.declaration
    }
  }

  static var declarations: [CommandDeclaration] { allCases.map(\.declaration) }

  /// Returns the command with that name.
  static func named(_ argument: Argument) throws(UsageError) -> Command {
    if let command = Command(rawValue: argument.text) { return command }
    throw .unknownCommand(argument.text, of: .mlm)
  }

  /// Parses the arguments and runs the command.
  func run(_ arguments: [Argument], output: Output) throws -> ExitCode {
    let parsed = try Parser.parse(arguments, for: declaration)
    if let help = parsed.given.first(where: { $0.option.name == CommandDeclaration.help.declaration.name }) {
      try output.write(help.typed == "-h" ? Help(.mlm).short(declaration) : Help(.mlm).long(declaration))
      return .done
    }
    switch self {
    case .fit:
      let file = try FitConfiguration(of: parsed)
      let options = try FitOptions(file?.completing(parsed) ?? parsed)
      return try FitCommand(options, CommandContext(output, options.common), typed: parsed, file).run()
    case .predict:
      let options = try PredictOptions(parsed)
      return try PredictCommand(options, CommandContext(output, options.common)).run()
    case .evaluate:
      let options = try EvaluateOptions(parsed)
      return try EvaluateCommand(options, CommandContext(output, options.common)).run()
    case .tokenize:
      let options = try TokenizeOptions(parsed)
      return try TokenizeCommand(options, CommandContext(output, isQuiet: options.quiet, isOffline: options.offline))
        .run()
    case .info:
      let options = try InfoOptions(parsed)
      return try InfoCommand(options, CommandContext(output, isQuiet: options.quiet, isOffline: options.offline)).run()
    case .presets:
      let options = try PresetsOptions(parsed)
      return try PresetsCommand(options, CommandContext(output, isQuiet: options.quiet, isOffline: options.offline))
        .run()
    case .completions:
      let options = try CompletionsOptions(parsed)
      try output.write(Completions.standard().script(for: options.shell))
      return .done
    case .manual:
      _ = try ManualOptions(parsed)
      try output.write(Manual(.mlm).page)
      return .done
    }
  }
}
