import Files

/// What can be wrong with the checkpoints of a training.
public enum TrainingCheckpointError: ModelError, Equatable {
  /// There is no checkpoint to go on from.
  case none(output: String)
  /// A checkpoint that the training counts on is gone.
  case missing(path: String)
  /// A file of a checkpoint that does not say what it should.
  case damaged(file: String, what: String)
  /// The newest checkpoint cannot be gone on from; `older` is the newest one that can.
  case newestIsDamaged(path: String, cause: String, older: String?)
  /// A checkpoint of another version of the format.
  case otherVersion(file: String, found: Int)
  /// A checkpoint whose tensors have other sizes than the model.
  case otherModel(path: String)
  /// Another process trains there.
  case inUse(output: String)
  /// Checkpoints of an unfinished training stand where a new one is to write.
  case outputHoldsCheckpoints(output: String, newest: String)
  /// A model is asked for where only checkpoints are.
  case unfinished(output: String, newest: String)

  public var kind: ErrorKind { .training }
  public var message: String {
    switch self {
    case .none(let output): "there is no checkpoint in \(Path.join(output, CheckpointFolder.name))"
    case .missing(let path): "the checkpoint \(path) is gone, which had the best validation loss"
    case .damaged(let file, let what): "\(file): damaged: \(what)"
    case .newestIsDamaged(let path, let cause, _): "the newest checkpoint, \(path), is damaged: \(cause)"
    case .otherVersion(let file, let found): "\(file): written by another version (format \(found))"
    case .otherModel(let path): "the checkpoint \(path) is of a model of other sizes"
    case .inUse(let output): "another training is writing to \(output)"
    case .outputHoldsCheckpoints(let output, let newest):
      "\(output) holds the checkpoints of a training that has not ended, the newest is \(newest)"
    case .unfinished(let output, _): "\(output) holds no model yet, only checkpoints of a training that has not ended"
    }
  }

  var isOfAnotherVersion: Bool { if case .otherVersion = self { true } else { false } }

  public var hint: String? {
    switch self {
    case .none:
      "begin without a checkpoint; one is written after each epoch, and between where CheckpointOptions has an interval"
    case .missing: "without early stopping the training can be resumed"
    case .damaged: "remove that checkpoint to go on from the one before it"
    case .newestIsDamaged(_, _, let older?): "remove it to resume from \(older), which is intact"
    case .newestIsDamaged(_, _, nil): "no older checkpoint is intact; remove them all to start over"
    case .otherVersion, .otherModel: nil
    case .inUse: "wait for it, or write to another directory"
    case .outputHoldsCheckpoints: "resume from it, or remove the checkpoints to start over"
    case .unfinished(_, let newest):
      "resume the training to its end, or load its newest checkpoint: \(newest)"
    }
  }
}
