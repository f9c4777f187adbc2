import Files
import Text

extension DistilBertMaskedLM {
  /// Trains on a corpus.
  ///
  /// A further call continues where the last one ended, until `compile`: with the next epoch, and so with new masks and
  /// a new order, and with the optimizer's moments and step count (Keras: `initial_epoch`, `optimizer.iterations`). Two
  /// calls of one epoch each give the parameters of one call of two epochs. An epoch that a callback stopped counts as
  /// one. `options` set the length of this call. A schedule counts the steps of all calls since `compile`: a warm-up
  /// happens once, and a rate that falls to 0 does so at the end of the current call.
  ///
  /// - Parameters:
  ///   - validation: the samples to evaluate after each epoch, always with the same masks.
  ///   - checkpoints: where and how often to write checkpoints; the folder must be open.
  ///   - resuming: the checkpoint to resume from. With the same corpus, options and threads, the final parameters equal
  ///     those of an uninterrupted training, to the last bit.
  ///   - callbacks: called after each step and each epoch, and during validation; see `TrainingCallback`. A callback
  ///     that returns `.stop` ends training with a checkpoint.
  /// - Throws: the errors of the corpus and the callbacks; `PreprocessorError` for a sample that does not fit the
  ///   model; `ModelUseError` if the model is in use or not in float32; `TrainingError` if the loss is no longer
  ///   finite, leaving the last weights with a finite loss; `CancellationError` between two steps if the task is
  ///   canceled, leaving the weights of the last step and a checkpoint.
  @discardableResult
  public func fit(
    _ source: some SampleSource, validation: (any SampleSource)? = nil, options: TrainingOptions = TrainingOptions(),
    checkpoints: CheckpointOptions? = nil, resuming checkpoint: TrainingCheckpoint? = nil,
    callbacks: [TrainingCallback] = []
  ) throws -> TrainingOutcome {
    try checkTrainable()
    let checked = CheckedSource(source, for: configuration)
    let checkedValidation = validation.map { CheckedSource($0, for: configuration) }
    return try compute.exclusiveAccess.claim(nests: false) {
      try withTraining { training, progress in
        var trainer = Trainer(
          training: training, schedule: schedule, options: options, seed: seed, callbacks: callbacks)
        if options.earlyStopping != nil, validation != nil { trainer.best = BestParameters(network) }
        if let checkpoint {
          try restore(checkpoint, training, trainer.best, checkpoints)
          progress = checkpoint.state
        } else {
          progress.beginFit()
        }
        trainer.checkpoints = checkpoints.map {
          CheckpointWriter(options: $0, network: network, moments: training.state, files: tokenizerFiles)
        }
        return try trainer.run(checked, validation: checkedValidation, from: &progress)
      }
    }
  }

  /// Throws `ModelUseError` if the model's weights cannot be trained.
  package func checkTrainable() throws(ModelUseError) {
    if hasQuantizedWeights { throw .quantizedWeights }
    guard precision == .float32 else { throw .reducedPrecision(precision) }
  }

  /// Restores parameters and moments from a checkpoint.
  private func restore(
    _ checkpoint: TrainingCheckpoint, _ training: TrainingStep, _ bestParameters: BestParameters?,
    _ checkpoints: CheckpointOptions?
  ) throws {
    network.parameters.untrained = try checkpoint.copyParameters(of: network)
    try checkpoint.copyMoments(to: training.state, network.parameters)
    if let best = checkpoint.state.best { try bestParameters?.keep(self.best(best, of: checkpoint, checkpoints)) }
  }

  /// Returns the checkpoint with the best validation loss, which is stored next to the latest one.
  private func best(
    _ best: TrainingState.Best, of checkpoint: TrainingCheckpoint, _ checkpoints: CheckpointOptions?
  ) throws -> TrainingCheckpoint {
    if best.step == checkpoint.state.step { return checkpoint }
    let folder = checkpoints?.folder ?? CheckpointFolder(output: Path.parent(Path.parent(checkpoint.path)))
    let path = folder.path(ofStep: best.step)
    guard Path.isDirectory(path) else { throw TrainingCheckpointError.missing(path: path) }
    return try TrainingCheckpoint(wholeAt: path)
  }
}
