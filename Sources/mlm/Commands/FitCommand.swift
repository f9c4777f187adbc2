import Model

/// `mlm fit`: trains and writes a model directory.
struct FitCommand {
  let options: FitOptions
  let context: CommandContext

  /// Rows of the history between the ends of epochs, in steps.
  private static let historyInterval = 100

  init(_ options: FitOptions, _ context: CommandContext) {
    self.options = options
    self.context = context
  }

  func run() throws -> ExitCode {
    // What would fail at the end is found at the beginning.
    try ModelDirectory.checkWritable(options.output, overwrite: options.overwrites)
    let model = try context.model(for: .fit, options.common, dropout: options.dropout)
    let (source, validation) = try corpora(for: model)
    let log = try HistoryLog(path: options.log)

    model.compile(
      optimizer: options.libraryOptimizer, schedule: options.librarySchedule,
      lossReduction: options.libraryLossReduction)
    model.backbone.isTrainable = !options.freezesBackbone

    Signals.intercept()
    var steps = 0
    do {
      steps = try train(model, on: source, validation: validation, log)
    } catch let error as TrainingError {
      try keep(model, log, after: error)
      throw error
    }
    try save(model, log)
    context.console.note("wrote \(options.output)")
    guard let signal = Signals.received else { return .done }
    context.console.note("ended by a signal after \(Readable.plural(steps, "step")); what was learned is kept")
    return .interrupted(signal: signal)
  }

  private func corpora(
    for model: DistilBertMaskedLM
  ) throws -> (train: any SampleSource, validation: (any SampleSource)?) {
    let reader = try CorpusReader(options.common, options.samples, model, context)
    switch options.validation {
    case .none: return (try reader.open(options.files), nil)
    case .file(let file): return (try reader.open(options.files), try reader.open([file]))
    case .split(let share):
      let parts = try reader.openSplit(options.files, validation: share)
      return (parts.train, parts.validation)
    }
  }

  /// The number of optimizer steps that were done.
  private func train(
    _ model: DistilBertMaskedLM, on corpus: any SampleSource, validation: (any SampleSource)?, _ log: HistoryLog
  ) throws -> Int {
    let progress = Progress(console: context.console)
    defer { progress.finish() }
    var steps = 0
    try model.fit(corpus, validation: validation, options: options.training) { report in
      steps = report.step
      switch report.moment {
      case .step:
        progress.update { report.progressLine(epochs: options.epochs) }
        if report.step % Self.historyInterval == 0 { try log.append(report) }
      case .epochEnd:
        try log.append(report)
        progress.milestone(report.progressLine(epochs: options.epochs))
      }
      return Signals.received == nil
    }
    return steps
  }

  private func save(_ model: DistilBertMaskedLM, _ log: HistoryLog) throws {
    try model.save(
      to: options.output, files: [("history.csv", Array(log.text.utf8))], overwrite: options.overwrites)
  }

  /// Training went wrong: the last good weights are worth keeping, if there ever were any.
  private func keep(_ model: DistilBertMaskedLM, _ log: HistoryLog, after error: TrainingError) throws {
    guard error.isOfTraining else { return }
    do {
      try save(model, log)
      let steps = Readable.plural(error.goodSteps, "step")
      context.console.note("the last good state, the model after \(steps), is in \(options.output)")
    } catch let second {
      context.console.error(second)
    }
  }
}
