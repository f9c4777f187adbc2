import Model

/// `mlm fit`: trains and writes a model directory.
struct FitCommand {
  let options: FitOptions
  let context: CommandContext

  init(_ options: FitOptions, _ context: CommandContext) {
    self.options = options
    self.context = context
  }

  func run() throws -> ExitCode {
    let log = try HistoryLog(path: options.log)
    let progress = Progress(console: context.console)
    defer { progress.finish() }
    Signals.intercept()
    let summary = try ModelConnection.fit(
      options, context: context, history: { log.text },
      report: { report in
        switch report.moment {
        case .step: progress.update { report.progressLine }
        case .epochEnd:
          try log.append(report)
          progress.milestone(report.progressLine)
        }
      },
      isInterrupted: { Signals.received != nil })
    progress.finish()
    for note in summary { context.console.note(note) }
    return Signals.received.map { .interrupted(signal: $0) } ?? .done
  }
}
