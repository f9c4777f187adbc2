import Files
import Glibc
import Hub

/// The directory `checkpoints` in the output directory of a training run. It contains a directory `step-N` for each
/// checkpoint, which is written atomically.
public struct CheckpointFolder: Sendable {
  static let name = "checkpoints"
  /// The names of the files with the counters and the optimizer's moments, next to a checkpoint's model files.
  static let stateName = "training_state.json"
  static let momentsName = "training_state.safetensors"
  private static let prefix = "step-"
  /// The name of the file that names the checkpoint from which the model in the output directory was written.
  private static let markName = "finished"

  /// The output directory of the final model.
  public let output: String

  /// Creates the folder for the run that writes its model to `output`.
  public init(output: String) { self.output = output }

  /// The path of `checkpoints` in the output directory.
  public var path: String { Path.join(output, Self.name) }

  /// Returns the path of a step's checkpoint, whether or not it exists.
  public func path(ofStep step: Int) -> String { Path.join(path, Self.prefix + String(step)) }

  /// The steps of all checkpoints, ascending.
  public var steps: [Int] {
    allSteps.filter { Path.isFile(Path.join(path(ofStep: $0), Self.stateName)) }
  }

  /// The steps of all checkpoint directories, including those that are otherwise empty.
  var allSteps: [Int] {
    let names = (try? Path.list(path)) ?? []
    return names.compactMap { name -> Int? in
      guard name.hasPrefix(Self.prefix), let step = Int(name.dropFirst(Self.prefix.count)), step >= 0,
        name == Self.prefix + String(step), Path.isDirectory(Path.join(path, name))
      else { return nil }
      return step
    }.sorted()
  }

  /// The path of the newest checkpoint; nil if there is none.
  public var newest: String? { steps.last.map { path(ofStep: $0) } }

  /// Whether the output directory belongs to a run that began and has not yet written a model.
  public var isOfUnfinishedTraining: Bool {
    Path.isDirectory(path) && Path.kind(Path.join(output, ModelFiles.configuration)) == nil
  }

  // MARK: A run

  /// Creates the folder for exclusive use by one run, and removes leftovers of killed processes.
  ///
  /// - Returns: an object to keep while the run writes here. When it is released, created folders that are still empty
  ///   are removed.
  public func open() throws -> AnyObject {
    ModelDirectory.recover(output)
    let lock = try FolderLock(self)
    // Only an attempt to write is conclusive.
    let trial = Path.join(path, ".trial-\(getpid())")
    guard mkdir(trial.cPath, 0o777) == 0 || errno == EEXIST else {
      throw FileError.system("write", path, writing: true)
    }
    for name in try Path.list(path) where name.hasPrefix(".") { DirectoryReplacement.remove(Path.join(path, name)) }
    return lock
  }

  /// Removes all checkpoints, for a run that starts over.
  public func clear() throws {
    for name in try Path.list(path) where name.hasPrefix(Self.prefix) || name == Self.markName { try remove(name) }
  }

  /// Removes all but the newest `count` checkpoints and their best checkpoints, so that every checkpoint that can be
  /// resumed keeps its best.
  func prune(keeping count: Int) {
    let kept = steps.suffix(max(1, count))
    let best = kept.compactMap { (try? TrainingCheckpoint(path: path(ofStep: $0)))?.state.best?.step }
    for step in steps.dropLast(kept.count) where !best.contains(step) { try? remove(Self.prefix + String(step)) }
  }

  /// Renames first, so that no partial checkpoint is visible.
  private func remove(_ name: String) throws(FileError) {
    let hidden = Path.join(path, ".\(name).old-\(getpid())")
    guard rename(Path.join(path, name).cPath, hidden.cPath) == 0 else {
      throw .system("remove", Path.join(path, name), writing: true)
    }
    DirectoryReplacement.remove(hidden)
  }

  // MARK: The end

  /// The step of the checkpoint from which the model in the output directory was written, and the step of its weights;
  /// nil if there is no such model.
  public var finished: (step: Int, weights: Int)? {
    guard ModelDirectory.isModelDirectory(output),
      let bytes = try? FileMapping.contents(of: Path.join(path, Self.markName))
    else { return nil }
    let numbers = bytes.split(separator: UInt8(ascii: "\n")).map { Int(String(decoding: $0, as: UTF8.self)) }
    guard numbers.count == 2, let step = numbers[0], let weights = numbers[1] else { return nil }
    return (step, weights)
  }

  /// Records that the model was written.
  public func markFinished(step: Int, weights: Int) throws(FileError) {
    try AtomicFile.write(Array("\(step)\n\(weights)\n".utf8), to: Path.join(path, Self.markName))
  }
}

extension ModelDirectory {
  /// Removes leftovers of killed processes next to a model directory.
  static func recover(_ path: String) { DirectoryReplacement.recover(path, keeping: { !isModelFile($0) }) }
}

/// The lock of the process that writes to a folder. The system releases it when the process ends, however it ends.
private final class FolderLock {
  private let descriptor: Int32
  private var created: [String] = []

  init(_ folder: CheckpointFolder) throws {
    try Path.makeDirectories(folder.path, created: &created)
    descriptor = Glibc.open(folder.path.cPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError.system("open", folder.path) }
    // Some file systems do not support locks.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      throw TrainingCheckpointError.inUse(output: folder.output)
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    // Directories that were written to are not empty, and remain.
    for directory in created.reversed() { rmdir(directory.cPath) }
  }
}
