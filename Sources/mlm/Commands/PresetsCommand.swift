import Model

/// `mlm presets`.
struct PresetsCommand {
  let options: PresetsOptions
  let context: CommandContext

  init(_ options: PresetsOptions, _ context: CommandContext) {
    self.options = options
    self.context = context
  }

  func run() throws -> ExitCode { throw NotConnected(command: "presets") }
}
