import CommandLine
import Files
import Glibc
import Hub
import Model
import Text

/// `mlm fit`: trains and writes a model directory.
struct FitCommand {
  let options: FitOptions
  let context: CommandContext
  /// The arguments that the options were read from.
  let typed: ParsedArguments
  /// The file of `--config`.
  let file: FitConfiguration?

  init(_ options: FitOptions, _ context: CommandContext, typed: ParsedArguments, _ file: FitConfiguration? = nil) {
    self.options = options
    self.context = context
    self.typed = typed
    self.file = file
  }

  func run() throws -> ExitCode {
    try refuseLogOverInput()
    let folder = CheckpointFolder(output: options.output)
    let checkpoint = options.resumes ? try newestCheckpoint(in: folder) : nil
    // Errors that would occur at the end are found at the beginning.
    try ModelDirectory.checkWritable(options.output, overwrite: options.overwrites || options.resumes)
    try CorpusReader.check(files)
    let registry = try context.registry()
    let texts = options.common.preprocessed ? [] : try context.open(options.files)
    let (model, preset) = try loadModel(checkpoint, texts, in: registry)
    let (source, validation) = try corpora(texts, for: model)
    let record = try record(preset, model, from: checkpoint, source, validation)
    if let warning = file?.warning(of: record.data, typed: typed) { context.console.warning(warning) }
    if let checkpoint {
      try record.check(against: checkpoint.record, at: checkpoint.state.step)
      if isFinished(checkpoint.state, of: record.length.steps, in: folder) {
        context.console.note(
          "the training is already finished, after \(plural(checkpoint.state.step, "step")): nothing to do")
        return .done
      }
      for note in record.notes(against: checkpoint.record, at: checkpoint.state.step) { context.console.note(note) }
    }
    try checkMasks(of: source, validation)
    model.compile(
      optimizer: options.libraryOptimizer, schedule: options.librarySchedule,
      lossReduction: options.lossReduction)
    try model.freeze(options.frozen)

    let lock = try folder.open()
    defer { withExtendedLifetime(lock) {} }
    // The history is written next to the checkpoints until the model is written.
    var isWritten = false
    defer { if isWritten || folder.newest == nil { TrainingMonitor.removeFiles(in: folder.path) } }
    let origin = origin(preset, model)
    let monitor = try TrainingMonitor(
      monitorOptions(origin, threads: model.threads, from: checkpoint), folder: folder.path, console: context.console)
    // Everything that can fail before the first step has been opened.
    if !options.resumes { try folder.clear() }
    let checkpoints = CheckpointOptions(
      folder: folder, interval: options.checkpointInterval, keep: options.keptCheckpoints,
      record: { record.json(history: monitor.rows) })
    Signals.intercept()
    let outcome: TrainingOutcome
    do {
      outcome = try train(model, on: source, validation: validation, checkpoints, from: checkpoint, monitor)
    } catch let error as TrainingCheckpointError {
      // The newest checkpoint is the damaged one.
      throw error
    } catch let error as any ModelError {
      throw StoppedTraining(cause: error, checkpoint: folder.newest)
    }
    if outcome.ending == .stopped { return interrupted(outcome.state, folder) }
    guard outcome.state.updates > 0 else {
      if !options.resumes { try folder.clear() }
      throw NothingMasked.training
    }
    // If there was nothing left to compute, the recorded threads are those of the checkpoint.
    let isUnchanged = outcome.state.step == checkpoint?.state.step
    let run = options.trainingFile(
      preset: preset, threads: isUnchanged ? checkpoint?.record["threads"]?.int ?? model.threads : model.threads,
      data: record.data)
    try save(model, monitor, card(model, preset, in: registry, source, validation), run, outcome, folder)
    isWritten = true
    return .done
  }

  /// The checkpoint to continue from. If it is damaged, the error explains how to use the one before it.
  private func newestCheckpoint(in folder: CheckpointFolder) throws -> TrainingCheckpoint {
    do {
      return try TrainingCheckpoint.newest(in: folder)
    } catch let error as TrainingCheckpointError {
      guard case .newestIsDamaged(let path, _, let older?) = error else { throw error }
      throw DamagedCheckpoint(cause: error, path: path, older: older)
    }
  }

  /// Whether the output directory already holds the model that these options produce.
  private func isFinished(_ state: TrainingState, of steps: Int, in folder: CheckpointFolder) -> Bool {
    let isAtItsEnd =
      state.step >= steps || options.earlyStopping.map { state.evaluationsWithoutProgress >= $0 } ?? false
    guard isAtItsEnd, let finished = folder.finished else { return false }
    return finished == (state.step, weightsStep(of: state))
  }

  /// The step of the final weights.
  private func weightsStep(of state: TrainingState) -> Int {
    options.earlyStopping == nil ? state.step : state.best?.step ?? state.step
  }

  /// The initial model, or that of a checkpoint, and the preset it was made from.
  private func loadModel(
    _ checkpoint: TrainingCheckpoint?, _ texts: [TextFile], in registry: PresetRegistry
  ) throws -> (DistilBertMaskedLM, preset: String) {
    guard let checkpoint else {
      let name = context.preset(for: .fit, given: options.common.preset, use: use, in: registry)
      return (try firstModel(name, texts, in: registry), name)
    }
    var common = options.common
    common.loadsWeights = true
    // The model is the checkpoint's, even if the default has changed.
    let preset = common.preset ?? checkpoint.record["options"]?["preset"]?.string ?? ""
    try FitRecord.check(options, preset: preset, against: checkpoint.record) { fingerprint in
      do {
        return FitRecord.text(of: try firstModel(preset, texts, in: registry).fingerprint()) == fingerprint
      } catch let error as Interruption {
        throw error
      } catch {
        return false
      }
    }
    let model = try context.model(
      named: checkpoint.path, in: registry, common, dropout: options.dropout, isRestored: true)
    context.console.note("continuing from \(checkpoint.path)")
    return (model, preset)
  }

  /// The part of the preset that the training uses.
  private var use: DefaultPreset.Use {
    if options.newModel.vocabulary != .preset { return .architecture }
    return options.newModel.isNew || !options.common.loadsWeights ? .architectureAndVocabulary : .model
  }

  /// The model before the first step.
  private func firstModel(
    _ preset: String, _ texts: [TextFile], in registry: PresetRegistry
  ) throws -> DistilBertMaskedLM {
    guard options.newModel.isNew else {
      let model = try context.model(named: preset, in: registry, options.common, dropout: options.dropout)
      try model.checkTrainable()
      return model
    }
    let new = NewModel(options: options.newModel, common: options.common, context: context)
    return try new.make(from: preset, in: registry, files: texts, dropout: options.dropout)
  }

  private func record(
    _ preset: String, _ model: DistilBertMaskedLM, from checkpoint: TrainingCheckpoint?, _ source: any SampleSource,
    _ validation: (any SampleSource)?
  ) throws -> FitRecord {
    // The two parts of a split have the same content.
    let isSplit = if case .split = options.validation { true } else { false }
    let first = try checkpoint.map { $0.record["model"]?.string ?? "" } ?? FitRecord.text(of: model.fingerprint())
    return FitRecord(
      options, preset: preset, model: first, threads: model.threads, try CorpusFingerprint(source),
      try isSplit ? nil : validation.map { try CorpusFingerprint($0) })
  }

  /// Refuses samples without masks before anything is written.
  private func checkMasks(of source: any SampleSource, _ validation: (any SampleSource)?) throws {
    func hasMask(_ source: any SampleSource) throws -> Bool {
      for index in 0..<source.count where try !source.sample(index, epoch: 0).maskPositions.isEmpty { return true }
      return false
    }
    if let validation, try !hasMask(validation) {
      if options.earlyStopping != nil { throw NothingMasked.validation }
      context.console.warning("no token of the validation samples is masked, so nothing is validated")
    }
    // With random selection, another epoch can have masks.
    let isChance = options.samples.sampling == .bernoulli && !options.common.preprocessed
    if !isChance, try !hasMask(source) { throw NothingMasked.training }
  }

  /// The FILEs to train and validate on.
  private var files: [String] {
    if case .file(let file) = options.validation { options.files + [file] } else { options.files }
  }

  /// Files that a log must not replace: the inputs and the files of a model.
  private var protectedFiles: [String] {
    var files = files
    if case .file(let vocabulary) = options.newModel.vocabulary { files.append(vocabulary) }
    if let file { files.append(file.path) }
    for directory in [options.common.preset, options.output].compactMap({ $0 }) {
      files += Self.namesInModels.map { "\(directory)/\($0)" }
    }
    return files
  }

  private static let namesInModels = [
    "config.json", "model.safetensors", "model.safetensors.index.json", "vocab.txt", "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json", "training.json", "README.md", "MODEL_CARD.md", "model.weights.h5",
    "task.weights.h5",
  ]

  /// Refuses a log that would replace a file that has yet to be read.
  private func refuseLogOverInput() throws(UsageError) {
    /// `-` is standard input.
    func regularFile(_ path: String) -> FileIdentity? {
      let file = path == "-" ? FileIdentity(descriptor: STDIN_FILENO) : FileIdentity(path)
      return file?.isRegularFile == true ? file : nil
    }
    guard let log = options.log, let replaced = regularFile(log) else { return }
    for input in protectedFiles where regularFile(input) == replaced {
      throw UsageError(
        "--log \(log) would replace \(input), a file of this run or of a model", hint: "name another file with --log")
    }
  }

  private func corpora(
    _ texts: [TextFile], for model: DistilBertMaskedLM
  ) throws -> (train: any SampleSource, validation: (any SampleSource)?) {
    let reader = try CorpusReader(options.common, options.samples, model, context)
    switch options.validation {
    case .none: return (try reader.open(options.files, texts), nil)
    case .file(let file):
      return (try reader.open(options.files, texts), try reader.open([file], for: "validation"))
    case .split(let share):
      let parts = try reader.openSplit(options.files, texts, validation: share)
      let all = parts.train.count + parts.validation.count
      context.console.note(
        "\(parts.train.count) of \(plural(all, "sample")) to train on, \(parts.validation.count) to validate on"
      )
      return (parts.train, parts.validation)
    }
  }

  private func train(
    _ model: DistilBertMaskedLM, on corpus: any SampleSource, validation: (any SampleSource)?,
    _ checkpoints: CheckpointOptions, from checkpoint: TrainingCheckpoint?, _ monitor: TrainingMonitor
  ) throws -> TrainingOutcome {
    do {
      let outcome = try model.fit(
        corpus, validation: validation, options: options.training, checkpoints: checkpoints, resuming: checkpoint,
        callbacks: [
          TrainingCallback { report in
            try monitor.show(report)
            return Signals.received == nil ? .proceed : .stop
          }
        ])
      try monitor.finish()
      return outcome
    } catch {
      // The error that ended the training takes precedence over one of the log.
      try? monitor.finish()
      throw error
    }
  }

  private func monitorOptions(
    _ origin: TrainingOrigin, threads: Int, from checkpoint: TrainingCheckpoint?
  ) -> TrainingMonitor.Options {
    TrainingMonitor.Options(
      epochs: options.epochs, interval: options.logInterval, log: options.log, tensorBoard: options.tensorBoard,
      isVerbose: options.isVerbose,
      title: "\(origin.title) on \(FileName.list(options.files))", threads: threads,
      earlier: checkpoint.map { (rows: FitRecord.history(of: $0.record), state: $0.state) })
  }

  private func save(
    _ model: DistilBertMaskedLM, _ monitor: TrainingMonitor, _ card: ModelCard, _ run: [UInt8],
    _ outcome: TrainingOutcome, _ folder: CheckpointFolder
  ) throws {
    if outcome.ending == .early {
      let count = plural(outcome.state.evaluationsWithoutProgress, "evaluation")
      context.console.note("stopped early: the validation loss did not improve in \(count)")
    }
    var card = card
    card.history = monitor.curve.points
    card.hasHead = model.hasTrainedHead
    if options.earlyStopping != nil, let best = outcome.state.best, best.step != outcome.state.step {
      context.console.note("saving the weights of step \(best.step), which had the lowest validation loss")
      card.weightsStep = best.step
    }
    let (name, note) = ModelCard.fileName(in: options.output)
    if let note { context.console.note(note) }
    // The existing files belong to this training or are to be replaced.
    try model.save(
      to: options.output, files: monitor.files + [(FitConfiguration.fileName, run), (name, Array(card.markdown.utf8))],
      overwrite: true)
    try folder.markFinished(step: outcome.state.step, weights: weightsStep(of: outcome.state))
    for note in model.notesOnWriting { context.console.note(note) }
    context.console.note("wrote \(options.output)")
  }

  private func interrupted(_ state: TrainingState, _ folder: CheckpointFolder) -> ExitCode {
    let signal = Signals.received ?? SIGINT
    if let newest = folder.newest {
      context.console.note(
        "interrupted by a signal after \(plural(state.step, "step")); the checkpoint is \(newest)")
      context.console.note(
        "continue with the same command and --resume\(options.overwrites ? " instead of --overwrite" : "")")
    } else {
      context.console.note("interrupted by a signal before the first step; nothing was written")
    }
    return .interrupted(signal: signal)
  }
}

/// An error that ended a training, and the checkpoint to continue from.
private struct StoppedTraining: ModelError {
  let cause: any ModelError
  let checkpoint: String?

  var message: String { cause.message }
  var location: DataLocation? { cause.location }
  var hint: String? {
    let advice = checkpoint.map { "the last good checkpoint is \($0); --resume continues from it" }
    let parts = [cause.advice, advice].compactMap { $0 }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }
}

/// A damaged checkpoint, and how to resume from the one before it.
private struct DamagedCheckpoint: ModelError {
  let cause: TrainingCheckpointError
  let path, older: String

  var message: String { cause.message }
  var hint: String? {
    "\(older) is intact; to resume from it, remove the damaged one: rm -r \(ShellText.quoted(path))"
  }
}

/// Samples without masks, from which nothing can be learned or measured.
private enum NothingMasked: ModelError {
  case training, validation

  var message: String {
    switch self {
    case .training: "no token of the samples is masked, so there is nothing to learn; no model was written"
    case .validation: "no token of the validation samples is masked, so --early-stopping cannot work"
    }
  }

  var hint: String? { "use more text, a higher --mask-selection-rate, or samples with mask_positions" }
}
