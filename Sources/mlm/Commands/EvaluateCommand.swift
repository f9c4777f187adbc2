import Model

/// `mlm evaluate`: loss, accuracy and perplexity of text.
struct EvaluateCommand {
  let options: EvaluateOptions
  let context: CommandContext

  init(_ options: EvaluateOptions, _ context: CommandContext) {
    self.options = options
    self.context = context
  }

  func run() throws -> ExitCode {
    let progress = Progress(console: context.console)
    defer { progress.finish() }
    let report = try ModelConnection.evaluate(options, context: context) { done, total in
      progress.update { "evaluated \(done) of \(Readable.plural(total, "sample"))" }
    }
    progress.finish()
    try context.output.write(report.text(options.format))
    return .done
  }
}
