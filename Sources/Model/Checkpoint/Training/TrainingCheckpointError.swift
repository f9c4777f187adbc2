import Files

/// Errors in training checkpoints.
public enum TrainingCheckpointError: ModelError, Equatable {
  /// No checkpoint to resume from.
  case none(output: String)
  /// A missing checkpoint that the run depends on.
  case missing(path: String)
  /// A checkpoint file with invalid content.
  case damaged(file: String, what: String)
  /// A newest checkpoint that cannot be resumed; `older` is the newest one that can.
  case newestIsDamaged(path: String, cause: String, older: String?)
  /// A checkpoint of another version of the format.
  case otherVersion(file: String, found: Int)
  /// A checkpoint whose tensor sizes differ from the model's.
  case otherModel(path: String)
  /// Another process is training in the directory.
  case inUse(output: String)
  /// An output directory that holds checkpoints of an unfinished run.
  case outputHoldsCheckpoints(output: String, newest: String)
  /// A directory without a model, which holds only checkpoints.
  case unfinished(output: String, newest: String)

  public var kind: ErrorKind { .training }
  public var message: String {
    switch self {
    case .none(let output): "no checkpoint in \(Path.join(output, CheckpointFolder.name))"
    case .missing(let path): "missing checkpoint \(path), which had the best validation loss"
    case .damaged(let file, let what): "\(file): damaged: \(what)"
    case .newestIsDamaged(let path, let cause, _): "the newest checkpoint, \(path), is damaged: \(cause)"
    case .otherVersion(let file, let found): "\(file): written by another version of mlm (format \(found))"
    case .otherModel(let path): "the tensor sizes in the checkpoint \(path) differ from the model's"
    case .inUse(let output): "another training run is writing to \(output)"
    case .outputHoldsCheckpoints(let output, let newest):
      "\(output) holds checkpoints of an unfinished run, the newest is \(newest)"
    case .unfinished(let output, _): "\(output) holds no model yet, only checkpoints of an unfinished run"
    }
  }

  var isOfAnotherVersion: Bool { if case .otherVersion = self { true } else { false } }

  public var hint: String? {
    switch self {
    case .none:
      "start without a checkpoint; one is written after each epoch, and at the interval in CheckpointOptions"
    case .missing: "resume without early stopping"
    case .damaged: "remove this checkpoint to resume from the previous one"
    case .newestIsDamaged(_, _, let older?): "remove it to resume from \(older), which is intact"
    case .newestIsDamaged(_, _, nil): "no older checkpoint is intact; remove them all to start over"
    case .otherVersion, .otherModel: nil
    case .inUse: "wait for it, or write to another directory"
    case .outputHoldsCheckpoints: "resume from it, or remove the checkpoints to start over"
    case .unfinished(_, let newest):
      "resume training to finish it, or load its newest checkpoint: \(newest)"
    }
  }
}
