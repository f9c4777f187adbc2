import Model

/// `mlm tokenize`.
struct TokenizeCommand {
  let options: TokenizeOptions
  let context: CommandContext

  init(_ options: TokenizeOptions, _ context: CommandContext) {
    self.options = options
    self.context = context
  }

  func run() throws -> ExitCode { throw NotConnected(command: "tokenize") }
}
