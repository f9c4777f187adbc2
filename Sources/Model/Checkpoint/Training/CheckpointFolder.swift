import Files
import Glibc
import Hub

/// The folder of a training's checkpoints, `checkpoints` in its output directory: a directory `step-N` for each, which appears
/// whole or not at all.
public struct CheckpointFolder: Sendable {
  static let name = "checkpoints"
  /// Next to the files of a model, in the directory of a checkpoint: counters, and the optimizer's moments.
  static let stateName = "training_state.json"
  static let momentsName = "training_state.safetensors"
  private static let prefix = "step-"
  /// Holds the name of the checkpoint that the model in the output directory was written from.
  private static let markName = "finished"

  /// The directory of the model to be.
  public let output: String

  /// The checkpoints of a training that writes its model there.
  public init(output: String) { self.output = output }

  /// `checkpoints` in the output directory.
  public var path: String { Path.join(output, Self.name) }

  /// Where the checkpoint of that step is, or would be.
  public func path(ofStep step: Int) -> String { Path.join(path, Self.prefix + String(step)) }

  /// The steps of all checkpoints, ascending.
  public var steps: [Int] {
    allSteps.filter { Path.isFile(Path.join(path(ofStep: $0), Self.stateName)) }
  }

  /// Also those of which nothing is left but the directory.
  var allSteps: [Int] {
    let names = (try? Path.list(path)) ?? []
    return names.compactMap { name -> Int? in
      guard name.hasPrefix(Self.prefix), let step = Int(name.dropFirst(Self.prefix.count)), step >= 0,
        name == Self.prefix + String(step), Path.isDirectory(Path.join(path, name))
      else { return nil }
      return step
    }.sorted()
  }

  /// The path of the newest checkpoint; nil where there is none.
  public var newest: String? { steps.last.map { path(ofStep: $0) } }

  /// Whether the output directory is one in which a training began and no model was written yet.
  public var isOfUnfinishedTraining: Bool {
    Path.isDirectory(path) && Path.kind(Path.join(output, ModelFiles.configuration)) == nil
  }

  // MARK: A training

  /// Makes the folder, for one training at a time, and removes what a process that was killed has left.
  ///
  /// - Returns: an object to keep as long as the training writes here. Folders that were made and stay empty go away with it.
  public func open() throws -> AnyObject {
    ModelDirectory.recover(output)
    let lock = try FolderLock(self)
    // Only trying tells for certain.
    let trial = Path.join(path, ".trial-\(getpid())")
    guard mkdir(trial.cPath, 0o777) == 0 || errno == EEXIST else {
      throw FileError.system("write", path, writing: true)
    }
    for name in try Path.list(path) where name.hasPrefix(".") { DirectoryReplacement.remove(Path.join(path, name)) }
    return lock
  }

  /// Removes all checkpoints, for a training that begins anew.
  public func clear() throws {
    for name in try Path.list(path) where name.hasPrefix(Self.prefix) || name == Self.markName { try remove(name) }
  }

  /// Removes all but the newest `count`, and those of the best evaluations that these know of: whichever is gone on from has its best.
  func prune(keeping count: Int) {
    let kept = steps.suffix(max(1, count))
    let best = kept.compactMap { (try? TrainingCheckpoint(path: path(ofStep: $0)))?.state.best?.step }
    for step in steps.dropLast(kept.count) where !best.contains(step) { try? remove(Self.prefix + String(step)) }
  }

  /// Out of sight first: a part of a checkpoint is none.
  private func remove(_ name: String) throws(FileError) {
    let hidden = Path.join(path, ".\(name).old-\(getpid())")
    guard rename(Path.join(path, name).cPath, hidden.cPath) == 0 else {
      throw .system("remove", Path.join(path, name), writing: true)
    }
    DirectoryReplacement.remove(hidden)
  }

  // MARK: The end

  /// The step of the checkpoint that the model in the output directory was written from, and the step that its weights are of; nil
  /// where there is no such model.
  public var finished: (step: Int, weights: Int)? {
    guard ModelDirectory.isModelDirectory(output),
      let bytes = try? FileMapping.contents(of: Path.join(path, Self.markName))
    else { return nil }
    let numbers = bytes.split(separator: UInt8(ascii: "\n")).map { Int(String(decoding: $0, as: UTF8.self)) }
    guard numbers.count == 2, let step = numbers[0], let weights = numbers[1] else { return nil }
    return (step, weights)
  }

  /// To be called when the model was written.
  public func markFinished(step: Int, weights: Int) throws(FileError) {
    try AtomicFile.write(Array("\(step)\n\(weights)\n".utf8), to: Path.join(path, Self.markName))
  }
}

extension ModelDirectory {
  /// Removes what processes that were killed have left beside a model directory.
  static func recover(_ path: String) { DirectoryReplacement.recover(path, keeping: { !isModelFile($0) }) }
}

/// Held by the process that writes to a folder; the system lets go of it when the process ends, however it does.
private final class FolderLock {
  private let descriptor: Int32
  private var created: [String] = []

  init(_ folder: CheckpointFolder) throws {
    try Path.makeDirectories(folder.path, created: &created)
    descriptor = Glibc.open(folder.path.cPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError.system("open", folder.path) }
    // Some file systems have no locks.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      throw TrainingCheckpointError.inUse(output: folder.output)
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    // Where something was written, they are not empty.
    for directory in created.reversed() { rmdir(directory.cPath) }
  }
}
