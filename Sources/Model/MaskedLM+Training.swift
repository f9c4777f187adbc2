import Files
import Text

extension DistilBertMaskedLM {
  /// Trains on a corpus.
  ///
  /// A further call continues where the one before ended, until `compile`: with the next epoch, and so with other masks and another
  /// order, the optimizer's moments and the number of steps (Keras: `initial_epoch`, `optimizer.iterations`). Two calls of one epoch
  /// each give the parameters of one call of two. An epoch that a callback stopped counts as one. `options` say how long this call
  /// is. A schedule counts the steps of all calls since `compile`: a warm-up happens once, and what falls to 0 does so at the end of
  /// the call at hand.
  ///
  /// - Parameters:
  ///   - validation: evaluated after each epoch, always with the same masks.
  ///   - checkpoints: where to write checkpoints; the folder must be open.
  ///   - resuming: the checkpoint to continue from. With the same corpus, options and threads the parameters at the end are those of a
  ///     training that was never interrupted, to the last bit.
  ///   - callbacks: called after each step and each epoch, and during validation; see `TrainingCallback`. One that answers `.stop` ends
  ///     training in order, with a checkpoint.
  /// - Throws: what the corpus and the callbacks throw; `PreprocessorError` for a sample that does not fit the model;
  ///   `ModelUseError.inUse`; `TrainingError` where the loss is no finite number any more, with the last weights that gave one;
  ///   `CancellationError` between two steps where the task is canceled, with the weights of the step before and a checkpoint.
  @discardableResult
  public func fit(
    _ source: some SampleSource, validation: (any SampleSource)? = nil, options: TrainingOptions = TrainingOptions(),
    checkpoints: CheckpointOptions? = nil, resuming checkpoint: TrainingCheckpoint? = nil,
    callbacks: [TrainingCallback] = []
  ) throws -> TrainingOutcome {
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

  /// Takes parameters and moments from a checkpoint.
  private func restore(
    _ checkpoint: TrainingCheckpoint, _ training: TrainingStep, _ bestParameters: BestParameters?,
    _ checkpoints: CheckpointOptions?
  ) throws {
    network.parameters.untrained = try checkpoint.copyParameters(of: network)
    try checkpoint.copyMoments(to: training.state, network.parameters)
    if let best = checkpoint.state.best { try bestParameters?.keep(self.best(best, of: checkpoint, checkpoints)) }
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
}
