import Glibc
import Model

/// `mlm fit`: trains and writes a model directory.
struct FitCommand {
  let options: FitOptions
  let context: CommandContext
  /// What the options were made from.
  let typed: ParsedArguments

  init(_ options: FitOptions, _ context: CommandContext, typed: ParsedArguments) {
    self.options = options
    self.context = context
    self.typed = typed
  }

  func run() throws -> ExitCode {
    try refuseLogOverInput()
    // What would fail at the end is found at the beginning.
    try ModelDirectory.checkWritable(options.output, overwrite: options.overwrites)
    try CorpusReader.check(files)
    let (model, preset, registry) = try context.loadedModel(for: .fit, options.common, dropout: options.dropout)
    let (source, validation) = try corpora(for: model)
    let growing = HistoryFolder(besides: options.output)
    defer { withExtendedLifetime(growing) {} }
    let watch = try TrainingWatch(
      watching(preset, threads: model.threads), folder: growing?.path, console: context.console)
    let card = card(model, preset, in: registry, source, validation)

    model.compile(
      optimizer: options.libraryOptimizer, schedule: options.librarySchedule,
      lossReduction: options.libraryLossReduction)
    model.backbone.isTrainable = !options.freezesBackbone

    Signals.intercept()
    var steps = 0
    do {
      steps = try train(model, on: source, validation: validation, watch)
    } catch let error as TrainingError {
      // Before the first update there is nothing that was learned.
      if error.goodSteps > 0 {
        keep(model, watch, card, "the last good state, the model after \(Readable.plural(error.goodSteps, "step")),")
      }
      throw error
    } catch let error as HistoryError {
      keep(model, watch, card, "what was learned until then")
      throw error
    }
    try save(model, watch, card)
    for note in model.configuration.notesOnWriting { context.console.note(note) }
    context.console.note("wrote \(options.output)")
    guard let signal = Signals.received else { return .done }
    context.console.note("ended by a signal after \(Readable.plural(steps, "step")); what was learned is kept")
    return .interrupted(signal: signal)
  }

  /// What is read: the FILEs, and those to validate on.
  private var files: [String] {
    if case .file(let file) = options.validation { options.files + [file] } else { options.files }
  }

  /// The log replaces the file of its name, which must not be text that is yet to be read.
  private func refuseLogOverInput() throws(UsageError) {
    guard let log = options.log, let replaced = FileIdentity(log) else { return }
    for input in files where FileIdentity(input) == replaced {
      throw .conflict("--log \(log)", "the FILE \(input)", why: "they are the same file, and the log would replace it")
    }
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
    _ model: DistilBertMaskedLM, on corpus: any SampleSource, validation: (any SampleSource)?, _ watch: TrainingWatch
  ) throws -> Int {
    defer { watch.finish() }
    var steps = 0
    try model.fit(corpus, validation: validation, options: options.training) { report in
      steps = report.step
      try watch.show(report)
      return Signals.received == nil
    }
    return steps
  }

  private func watching(_ preset: String, threads: Int) -> TrainingWatch.Options {
    TrainingWatch.Options(
      epochs: options.epochs, interval: options.logInterval, log: options.log, tensorBoard: options.tensorBoard,
      isVerbose: options.isVerbose,
      title: "\(FileName.last(preset)) on \(FileName.list(options.files))", threads: threads)
  }

  private func save(_ model: DistilBertMaskedLM, _ watch: TrainingWatch, _ card: ModelCard) throws {
    var card = card
    card.history = watch.curve.points
    let (name, note) = ModelCard.place(in: options.output)
    if let note { context.console.note(note) }
    try model.save(
      to: options.output, files: watch.files + [(name, Array(card.markdown.utf8))], overwrite: options.overwrites)
  }

  /// Training went wrong: the weights it came to are worth keeping. `what` says which they are.
  private func keep(_ model: DistilBertMaskedLM, _ watch: TrainingWatch, _ card: ModelCard, _ what: String) {
    do {
      try save(model, watch, card)
      context.console.note("\(what) is in \(options.output)")
    } catch {
      context.console.error(error)
    }
  }
}

/// Which file a name leads to; nil for what is not a regular file that is there.
private struct FileIdentity: Equatable {
  let device, number: UInt64

  /// - Parameter path: `-` is standard input.
  init?(_ path: String) {
    var information = stat()
    let code = path == "-" ? fstat(STDIN_FILENO, &information) : stat(path, &information)
    guard code == 0, information.st_mode & S_IFMT == S_IFREG else { return nil }
    (device, number) = (UInt64(information.st_dev), UInt64(information.st_ino))
  }
}
