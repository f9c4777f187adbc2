import Files
import Hub
import Tensor
import Text

/// A checkpoint of a training: a model directory, which other tools can load, with the files needed to resume.
///
///     config.json  model.safetensors  vocab.txt …      the model after that step
///     training_state.safetensors                       the optimizer's moments, and an untrained head
///     training_state.json                              counters, hashes of the other files, and the caller's record
public struct TrainingCheckpoint: Sendable {
  /// The checkpoint's directory.
  public let path: String
  /// The state of the training.
  public let state: TrainingState
  /// The caller's record.
  package let record: JSONValue

  fileprivate static let format = 1
  /// The hashes of the other files, by name; empty if the checkpoint has none.
  private let files: [(key: String, value: JSONValue)]

  /// Returns the newest checkpoint of a training, after checking all of its files.
  ///
  /// - Throws: `TrainingCheckpointError.newestIsDamaged` if a file's contents changed, with the newest intact
  ///   checkpoint.
  public static func newest(in folder: CheckpointFolder) throws -> TrainingCheckpoint {
    guard let step = folder.allSteps.last else { throw TrainingCheckpointError.none(output: folder.output) }
    let path = folder.path(ofStep: step)
    do {
      return try TrainingCheckpoint(wholeAt: path)
    } catch let error as TrainingCheckpointError where error.isOfAnotherVersion {
      throw error
    } catch FileError.notPermitted(let path, let writing) {
      throw FileError.notPermitted(path: path, writing: writing)
    } catch let error as any ModelError {
      let older = folder.steps.filter { $0 < step }.reversed().lazy.map { folder.path(ofStep: $0) }
      let cause =
        if case TrainingCheckpointError.damaged(let file, let what) = error {
          "\(Path.name(file)): \(what)"
        } else {
          (error.location.map { "\(Path.name($0.file)): " } ?? "") + error.message
        }
      throw TrainingCheckpointError.newestIsDamaged(
        path: path, cause: cause, older: older.first { (try? TrainingCheckpoint(wholeAt: $0)) != nil })
    }
  }

  /// Opens a checkpoint and checks the hashes of all files.
  init(wholeAt path: String) throws {
    try self.init(path: path)
    for (name, hash) in files {
      let file = Path.join(path, name)
      guard hash.string == Self.text(of: BlockHash.whole(try FileMapping(path: file))) else {
        throw TrainingCheckpointError.damaged(file: file, what: "contents changed since it was written")
      }
    }
    // Checkpoints of older versions have no hashes: check at least the lengths.
    for name in [ModelFiles.weights, CheckpointFolder.momentsName] where files.isEmpty {
      _ = try Safetensors(path: Path.join(path, name))
    }
  }

  fileprivate static func text(of hash: UInt64) -> String { String(hash, radix: 16) }

  /// Opens a checkpoint without reading its tensors. Throws `TrainingCheckpointError`, `JSONError` or `FileError`.
  public init(path: String) throws {
    self.path = path
    let file = Path.join(path, CheckpointFolder.stateName)
    let json = try JSONValue.load(file: file, withPaths: true)
    guard let format = json["format"]?.int else {
      throw TrainingCheckpointError.damaged(file: file, what: "'format' is missing")
    }
    guard format == Self.format else { throw TrainingCheckpointError.otherVersion(file: file, found: format) }
    state = try TrainingState(json: json["state"] ?? .null, file: file)
    record = json["record"] ?? .null
    files = json["files"]?.object ?? []
    guard files.allSatisfy({ ModelFiles.isName(ofShard: $0.key) }) else {
      throw TrainingCheckpointError.damaged(file: file, what: "'files' names a file outside the checkpoint")
    }
  }

  /// Copies the checkpoint's parameters to a network of the same sizes.
  ///
  /// - Parameter destination: returns the memory for the values of a parameter.
  /// - Returns: whether each parameter is untrained, in order.
  func copyParameters(
    of network: Network, to destination: (Parameter) -> UnsafeMutablePointer<Float> = { $0.values }
  ) throws -> [Bool] {
    let file = try Safetensors(path: Path.join(path, ModelFiles.weights))
    // The checkpoint has an output matrix of its own, or more layers.
    guard file.tensors.allSatisfy({ network.parameters[$0.name] != nil }) else {
      throw TrainingCheckpointError.otherModel(path: path)
    }
    let untrained = network.table.rows.map { !$0.isBackbone && file[$0.name] == nil }
    let state = untrained.contains(true) ? try Safetensors(path: Path.join(path, CheckpointFolder.momentsName)) : file
    for (parameter, isUntrained) in zip(network.parameters.parameters, untrained) {
      try tensor(parameter.name, of: isUntrained ? state : file, for: parameter).copyFloats(to: destination(parameter))
    }
    return untrained
  }

  /// Copies the moments of all trainable parameters to an optimizer's state.
  func copyMoments(to moments: OptimizerState, _ parameters: ParameterStore) throws {
    let file = try Safetensors(path: Path.join(path, CheckpointFolder.momentsName))
    for parameter in parameters.parameters where parameter.isTrainable {
      for moment in OptimizerState.Moment.allCases {
        try tensor(moment.name(of: parameter), of: file, for: parameter)
          .copyFloats(to: moments.values(moment, of: parameter))
      }
    }
    moments.steps = state.updates
  }

  private func tensor(
    _ name: String, of file: Safetensors, for parameter: Parameter
  ) throws(TrainingCheckpointError) -> TensorView {
    guard let tensor = file[name] else { throw .damaged(file: file.path, what: "'\(name)' is missing") }
    guard tensor.shape == parameter.specification.shape, tensor.type == .float32 else { throw .otherModel(path: path) }
    return tensor
  }
}

/// The folder and the interval of a training's checkpoints.
public struct CheckpointOptions {
  /// The folder of the checkpoints.
  public var folder: CheckpointFolder
  /// The number of steps between checkpoints; nil: only after each epoch. A training that ends early always writes one.
  public var interval: Int?
  /// The number of newest checkpoints to keep, in addition to the one with the best validation loss.
  public var keep: Int
  /// Returns a record to store in each checkpoint.
  package var record: () -> JSONValue

  /// Creates options. By default, a checkpoint is written after each epoch, and the newest two are kept.
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

/// Writes the checkpoints of a training.
struct CheckpointWriter {
  let options: CheckpointOptions
  let network: Network
  let moments: OptimizerState
  /// The tokenizer's files.
  let files: [(name: String, bytes: [UInt8])]

  /// Writes a checkpoint atomically. Replaces one of the same step, and deletes old ones.
  func write(_ state: TrainingState) throws {
    let directory = try DirectoryReplacement(options.folder.path(ofStep: state.step))
    try directory.write(network.configuration, network.tensorSources, files)
    try directory.write(
      CheckpointFolder.momentsName, moments.tensorSources(network.parameters) + network.untrainedSources)
    let hashes = try directory.hashes().map {
      (key: $0.name, value: JSONValue.string(TrainingCheckpoint.text(of: $0.hash)))
    }
    let json = JSONValue.object([
      ("format", .number(TrainingCheckpoint.format)), ("files", .object(hashes)), ("state", state.json),
      ("record", options.record()),
    ])
    try directory.write(
      CheckpointFolder.stateName, json.serialized(.indented(2), endingInNewline: true, withPaths: true))
    try directory.commit()
    options.folder.prune(keeping: options.keep)
  }
}
