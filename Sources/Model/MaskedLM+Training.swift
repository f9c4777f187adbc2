import Files
import Text

/// Where and how often a training writes checkpoints.
public struct CheckpointOptions {
  /// Where they are written.
  public var folder: CheckpointFolder
  /// One after so many steps; nil: after each epoch alone, and in any case when training ends before its time.
  public var interval: Int?
  /// The newest that are kept; the one of the best validation loss is kept besides.
  public var keep: Int
  /// What else is to be found again in a checkpoint, asked when one is written.
  package var record: () -> JSONValue

  /// By default one after each epoch, of which the newest two are kept.
  public init(folder: CheckpointFolder, interval: Int? = nil, keep: Int = 2) {
    self.init(folder: folder, interval: interval, keep: keep, record: { .null })
  }

  package init(folder: CheckpointFolder, interval: Int?, keep: Int, record: @escaping () -> JSONValue) {
    self.folder = folder
    self.interval = interval.map { max(1, $0) }
    self.keep = max(1, keep)
    self.record = record
  }
}

extension DistilBertMaskedLM {
  /// Trains on a corpus.
  ///
  /// - Parameters:
  ///   - validation: evaluated after each epoch, always with the same masks.
  ///   - checkpoints: where to write some; the folder must be open.
  ///   - resuming: go on from there. With the same corpus, options and threads the parameters at the end are those of a training that
  ///     was never interrupted, to the last bit.
  ///   - callbacks: called after each step and each epoch; see `TrainingCallback`.
  ///   - report: called at every moment of a report, before the callbacks; false ends training in order, with a checkpoint.
  /// - Throws: what the corpus and the callbacks throw; `PreprocessorError` for a sample that does not fit the model;
  ///   `ModelUseError.inUse`; `TrainingError` where the loss is no finite number any more, with the last
  ///   weights that gave one.
  @discardableResult
  public func fit(
    _ source: some SampleSource, validation: (any SampleSource)? = nil, options: TrainingOptions = TrainingOptions(),
    checkpoints: CheckpointOptions? = nil, resuming checkpoint: TrainingCheckpoint? = nil,
    callbacks: [TrainingCallback] = [], report: (TrainingReport) throws -> Bool = { _ in true }
  ) throws -> TrainingOutcome {
    let checked = CheckedSource(source, for: configuration)
    let checkedValidation = validation.map { CheckedSource($0, for: configuration) }
    return try compute.occupancy.claim(nests: false) {
      try train(
        checked, validation: checkedValidation, options: options, checkpoints: checkpoints, resuming: checkpoint
      ) { moment in
        let goesOn = try report(moment)
        return try callbacks.goOn(after: moment) && goesOn
      }
    }
  }

  private func train(
    _ source: CheckedSource, validation: CheckedSource?, options: TrainingOptions, checkpoints: CheckpointOptions?,
    resuming checkpoint: TrainingCheckpoint?, report: (TrainingReport) throws -> Bool
  ) throws -> TrainingOutcome {
    let training = takeUpTraining()
    let parameters = network.parameters
    var trainer = Trainer(training: training, schedule: schedule, options: options, seed: seed)
    if options.earlyStopping != nil, validation != nil { trainer.best = BestParameters(network) }
    if let checkpoint {
      parameters.untrained = try checkpoint.copyParameters(of: network)
      try checkpoint.copyMoments(to: training.state, parameters)
      if let best = checkpoint.state.best { try trainer.best?.keep(self.best(best, of: checkpoint, checkpoints)) }
    }
    if let checkpoints {
      trainer.checkpointInterval = checkpoints.interval
      trainer.save = { [self] state in try write(state, training, checkpoints) }
    }
    return try withoutActuallyEscaping(report) {
      try trainer.run(source, validation: validation, from: checkpoint?.state ?? TrainingState(), report: $0)
    }
  }

  /// The checkpoint with the best validation loss, which stands beside that of an interrupted training.
  private func best(
    _ best: TrainingState.Best, of checkpoint: TrainingCheckpoint, _ checkpoints: CheckpointOptions?
  ) throws -> TrainingCheckpoint {
    if best.step == checkpoint.state.step { return checkpoint }
    let folder = checkpoints?.folder ?? CheckpointFolder(output: Path.parent(Path.parent(checkpoint.path)))
    let path = folder.path(ofStep: best.step)
    guard Path.isDirectory(path) else { throw TrainingCheckpointError.missing(path: path) }
    return try TrainingCheckpoint(wholeAt: path)
  }

  private func write(_ state: TrainingState, _ training: TrainingStep, _ checkpoints: CheckpointOptions) throws {
    try TrainingCheckpoint.write(
      to: checkpoints.folder.path(ofStep: state.step), state, record: checkpoints.record(),
      configuration: configuration, network, training.state, files: tokenizerFiles)
    checkpoints.folder.prune(keeping: checkpoints.keep)
  }
}
