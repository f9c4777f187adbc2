import Foundation
import TestSupport
import Testing

@testable import Files
@testable import Model

@Suite struct CheckpointFolderTests {
  private func folder(_ steps: [Int]) throws -> (TemporaryFolder, CheckpointFolder) {
    let folder = try TemporaryFolder()
    for step in steps { try folder.write("out/checkpoints/step-\(step)/training_state.json", "{}") }
    return (folder, CheckpointFolder(output: folder.path + "/out"))
  }

  @Test func whatIsACheckpoint() throws {
    let (folder, checkpoints) = try self.folder([9, 10, 100])
    try folder.write("out/checkpoints/step-011/training_state.json", "{}")
    try folder.write("out/checkpoints/step-200/model.safetensors", "")
    try folder.write("out/checkpoints/.step-300.tmp-1/training_state.json", "{}")
    try folder.write("out/checkpoints/step-x/training_state.json", "{}")
    #expect(checkpoints.steps == [9, 10, 100])
    #expect(checkpoints.newest == checkpoints.path + "/step-100")
    #expect(checkpoints.isOfUnfinishedTraining)
    #expect(CheckpointFolder(output: folder.path).newest == nil)
    #expect(!CheckpointFolder(output: folder.path).isOfUnfinishedTraining)
  }

  @Test func prune() throws {
    let (folder, checkpoints) = try self.folder([1, 2, 3, 4, 5])
    checkpoints.prune(keeping: 2)
    #expect(checkpoints.steps == [4, 5])
    checkpoints.prune(keeping: 0)
    #expect(checkpoints.steps == [5])
    #expect(try Path.list(checkpoints.path) == ["step-5"])
    withExtendedLifetime(folder) {}
  }

  /// Leftovers of a killed process are removed, and checkpoints remain until training starts over.
  @Test func leftovers() throws {
    let (folder, checkpoints) = try self.folder([1, 2])
    // No process has this id.
    try folder.write("out/checkpoints/.step-3.tmp-99999999/model.safetensors", "half")
    try folder.write("out/checkpoints/.step-0.old-99999999/config.json", "half")
    try folder.write(".out.tmp-99999999/config.json", "half")
    try folder.write(".out.tmp-\(getppid())/config.json", "of a process that lives")
    try checkpoints.markFinished(step: 2, weights: 1)
    let lock = try checkpoints.open()
    #expect(try Path.list(checkpoints.path) == ["finished", "step-1", "step-2"])
    #expect(try Path.list(folder.path) == [".out.tmp-\(getppid())", "out"])
    try checkpoints.clear()
    #expect(try Path.list(checkpoints.path) == [])
    withExtendedLifetime(lock) {}
  }

  @Test func oneTrainingAtATime() throws {
    let (folder, checkpoints) = try self.folder([1])
    let lock = try checkpoints.open()
    #expect(throws: TrainingCheckpointError.inUse(output: checkpoints.output)) { _ = try checkpoints.open() }
    withExtendedLifetime((folder, lock)) {}
  }

  /// Created folders are removed if nothing was written.
  @Test func emptyFoldersGo() throws {
    let folder = try TemporaryFolder()
    let checkpoints = CheckpointFolder(output: folder.path + "/a/b")
    do {
      let lock = try checkpoints.open()
      #expect(Path.isDirectory(checkpoints.path))
      withExtendedLifetime(lock) {}
    }
    #expect(try Path.list(folder.path) == [])
  }

  /// The checkpoint from which the model next to it was written, and the step of its weights.
  @Test func finished() throws {
    let (folder, checkpoints) = try self.folder([3])
    try checkpoints.markFinished(step: 3, weights: 2)
    #expect(checkpoints.finished == nil)
    try folder.write("out/config.json", #"{"model_type": "distilbert"}"#)
    let finished = try #require(checkpoints.finished)
    #expect(finished == (3, 2))
    for text in ["3\n", "", "3\nx\n", "3\n2\n1\n"] {
      try folder.write("out/checkpoints/finished", text)
      #expect(checkpoints.finished == nil, "\(text)")
    }
  }

  /// A directory of only checkpoints is not a model, and the error says what to do.
  @Test func unfinished() throws {
    let (folder, checkpoints) = try self.folder([3])
    let error = TrainingCheckpointError.unfinished(output: checkpoints.output, newest: checkpoints.path(ofStep: 3))
    #expect(throws: error) { _ = try ModelDirectory.open(checkpoints.output) }
    #expect(error.hint?.contains("resume") == true && error.hint?.contains("step-3") == true)
    let output = TrainingCheckpointError.outputHoldsCheckpoints(
      output: checkpoints.output, newest: checkpoints.path(ofStep: 3))
    #expect(throws: output) { try ModelDirectory.checkWritable(checkpoints.output, overwrite: false) }
    #expect(throws: Never.self) { try ModelDirectory.checkWritable(checkpoints.output, overwrite: true) }
    // Nothing would be lost without a checkpoint.
    try checkpoints.clear()
    #expect(throws: Never.self) { try ModelDirectory.checkWritable(checkpoints.output, overwrite: false) }
    withExtendedLifetime(folder) {}
  }

  @Test func damagedCheckpoints() throws {
    let folder = try TemporaryFolder()
    let checkpoints = CheckpointFolder(output: folder.path)
    #expect(throws: TrainingCheckpointError.none(output: folder.path)) {
      _ = try TrainingCheckpoint.newest(in: checkpoints)
    }
    for text in ["", "[]", "{}", #"{"format": 2}"#, #"{"format": 1}"#, #"{"format": 1, "state": {"epoch": 0}}"#] {
      try folder.write("checkpoints/step-1/training_state.json", text)
      #expect(throws: (any Error).self, "\(text)") { _ = try TrainingCheckpoint.newest(in: checkpoints) }
    }
  }
}

/// The states in which a process killed between the system calls of a final write leaves the directories.
@Suite struct DirectoryReplacementTests {
  /// After the exchange, the old directory has the temporary name: files that are not part of a model move the next
  /// time.
  @Test func killedAfterTheExchange() throws {
    let folder = try TemporaryFolder()
    try folder.write("out/config.json", "new")
    try folder.write("out/checkpoints/step-1/training_state.json", "{}")
    try folder.write(".out.tmp-99999999-old-1/config.json", "old")
    try folder.write(".out.tmp-99999999-old-1/README.md", "mine")
    try folder.write(".out.tmp-99999999-old-1/checkpoints/step-1/training_state.json", "{}")
    ModelDirectory.recover(folder.path + "/out/")
    #expect(try Path.list(folder.path) == ["out"])
    #expect(try Path.list(folder.path + "/out") == ["README.md", "checkpoints", "config.json"])
    #expect(try FileMapping.contents(of: folder.path + "/out/config.json") == Array("new".utf8))
  }

  /// During writing: a half-written card is not taken for a user's file.
  @Test func killedWhileWriting() throws {
    let folder = try TemporaryFolder()
    try folder.write("out/checkpoints/step-1/training_state.json", "{}")
    try folder.write(".out.tmp-99999999/README.md", "# half a mod")
    ModelDirectory.recover(folder.path + "/out")
    #expect(try Path.list(folder.path) == ["out"])
    #expect(try Path.list(folder.path + "/out") == ["checkpoints"])
  }

  /// Just before the exchange: the name of an old directory belongs to the new one, from which nothing is taken.
  @Test func killedBeforeTheExchange() throws {
    let folder = try TemporaryFolder()
    try folder.write("out/config.json", "old")
    try folder.write("new/README.md", "the card of the new model")
    let number = try #require(fileNumber(folder.path + "/new"))
    #expect(rename(folder.path + "/new", folder.path + "/.out.tmp-99999999-old-\(number)") == 0)
    ModelDirectory.recover(folder.path + "/out")
    #expect(try Path.list(folder.path) == ["out"])
    #expect(try Path.list(folder.path + "/out") == ["config.json"])
  }

  /// On a file system without exchange: between the two renames.
  @Test func killedBetweenTheRenames() throws {
    let folder = try TemporaryFolder()
    try folder.write(".out.tmp-99999999/config.json", "new")
    try folder.write(".out.tmp-99999999-old-1/config.json", "old")
    ModelDirectory.recover(folder.path + "/out")
    #expect(try Path.list(folder.path) == ["out"])
    #expect(try FileMapping.contents(of: folder.path + "/out/config.json") == Array("old".utf8))
  }

  /// Checkpoints are in the new directory from the moment it appears: links, not copies.
  @Test func checkpointsAreNeverAway() throws {
    let folder = try TemporaryFolder()
    try folder.write("out/checkpoints/step-1/training_state.json", "{}")
    let number = try #require(fileNumber(folder.path + "/out/checkpoints/step-1/training_state.json"))
    let replacement = try DirectoryReplacement(folder.path + "/out")
    replacement.link("checkpoints")
    #expect(fileNumber(replacement.temporary + "/checkpoints/step-1/training_state.json") == number)
    try replacement.commit()
    #expect(fileNumber(folder.path + "/out/checkpoints/step-1/training_state.json") == number)
    #expect(try Path.list(folder.path) == ["out"])
  }

  private func fileNumber(_ path: String) -> UInt64? {
    var info = stat()
    return stat(path, &info) == 0 ? UInt64(info.st_ino) : nil
  }
}
