import Files
import Hub
import Tensor
import Text

/// A checkpoint of a training: a model directory, which other tools load too, and beside it what is needed to go on.
///
///     config.json  model.safetensors  vocab.txt …      the model after that step
///     training_state.safetensors                       the optimizer's moments, and a head that was not trained yet
///     training_state.json                              counters, the hashes of the other files, and the caller's own record
public struct TrainingCheckpoint: Sendable {
  /// Its directory.
  public let path: String
  /// How far the training had come.
  public let state: TrainingState
  /// What was given to be kept with it.
  package let record: JSONValue

  fileprivate static let format = 1
  /// The hashes of the other files, by name; empty where the checkpoint does not say.
  private let files: [(key: String, value: JSONValue)]

  /// The newest checkpoint of a training, all of its files looked at.
  ///
  /// - Throws: `TrainingCheckpointError.newestIsDamaged` where a file is not what was written, with the newest one that is whole.
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

  /// The same, with a look at all files: whether they are what was written.
  init(wholeAt path: String) throws {
    try self.init(path: path)
    for (name, hash) in files {
      let file = Path.join(path, name)
      guard hash.string == Self.text(of: BlockHash.whole(try FileMapping(path: file))) else {
        throw TrainingCheckpointError.damaged(file: file, what: "not what was written")
      }
    }
    // Of an older version: at least they have the length that they say.
    for name in [ModelFiles.weights, CheckpointFolder.momentsName] where files.isEmpty {
      _ = try Safetensors(path: Path.join(path, name))
    }
  }

  fileprivate static func text(of hash: UInt64) -> String { String(hash, radix: 16) }

  /// Reads what is needed to go on, but for the tensors. Throws `TrainingCheckpointError`, `JSONError` or `FileError`.
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
      throw TrainingCheckpointError.damaged(file: file, what: "'files' names another place")
    }
  }

  /// Puts the checkpoint's parameters into those of a network of the same sizes.
  ///
  /// - Parameter place: where the values of a parameter go.
  /// - Returns: which of them are untrained, in their order.
  func copyParameters(
    of network: Network, to place: (Parameter) -> UnsafeMutablePointer<Float> = { $0.values }
  ) throws -> [Bool] {
    let file = try Safetensors(path: Path.join(path, ModelFiles.weights))
    // An output matrix of its own, or more layers.
    guard file.tensors.allSatisfy({ network.parameters[$0.name] != nil }) else {
      throw TrainingCheckpointError.otherModel(path: path)
    }
    let untrained = network.table.rows.map { !$0.isBackbone && file[$0.name] == nil }
    let state = untrained.contains(true) ? try Safetensors(path: Path.join(path, CheckpointFolder.momentsName)) : file
    for (parameter, isUntrained) in zip(network.parameters.parameters, untrained) {
      try tensor(parameter.name, of: isUntrained ? state : file, for: parameter).copyFloats(to: place(parameter))
    }
    return untrained
  }

  /// Puts the moments of all trainable parameters into an optimizer's state.
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

/// Writes the checkpoints of a training.
struct CheckpointWriter {
  let options: CheckpointOptions
  let network: Network
  let moments: OptimizerState
  /// The tokenizer's files.
  let files: [(name: String, bytes: [UInt8])]

  /// Writes a checkpoint, whole or not at all. One of the same step is replaced, and older ones go.
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
