extension Manual {
  /// The tool's own page, mlm(1).
  static var page: String {
    Manual(
      commands: Command.declarations + [HelpCommand.declaration], options: Command.optionsWithoutCommand,
      description: Help.conventions, examples: HelpCommand.examples,
      version: (CommandLineTool.version, CommandLineTool.versionDate)
    ).page
  }
}
