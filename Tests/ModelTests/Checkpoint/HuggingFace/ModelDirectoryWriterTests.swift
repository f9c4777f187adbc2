import Foundation
import Glibc
import TestSupport
import Testing

@testable import Files
@testable import Model

private let golden = Golden.url("checkpoint/micro").path

/// Writes the golden model to a path.
private func write(to path: String, overwrite: Bool = false, files: [(name: String, bytes: [UInt8])] = []) throws {
  let model = try ModelDirectory.open(golden)
  let tensors = model.weights?.tensors.compactMap { $0 } ?? []
  try ModelDirectory.write(
    to: path, configuration: model.configuration,
    tensors: tensors.map { TensorSource(name: $0.name, type: $0.type, shape: $0.shape, bytes: $0.bytes) }, files: files,
    overwrite: overwrite)
  withExtendedLifetime(model) {}
}

@Suite struct ModelDirectoryWriterTests {
  @Test func comesBackByteForByte() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/runs/a"  // with a folder that is not there yet
    try write(to: path, files: [("vocab.txt", [0x61])])
    for name in ["model.safetensors", "config.json"] {
      #expect(try FileMapping.contents(of: path + "/" + name) == FileMapping.contents(of: golden + "/" + name))
    }
    #expect(try Path.list(path) == ["config.json", "model.safetensors", "vocab.txt"])
    #expect(try Path.list(folder.path + "/runs") == ["a"])
  }

  @Test func anEmptyDirectoryIsTaken() throws {
    let folder = try TemporaryFolder()
    mkdir(folder.path + "/a", 0o777)
    try write(to: folder.path + "/a/")
    #expect(try ModelDirectory.open(folder.path + "/a").weights != nil)
  }

  @Test func overwriteReplacesTheModelAndKeepsTheRest() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a"
    try write(to: path)
    try folder.write("a/README.md", "mine")
    try folder.write("a/checkpoints/1/state", "1")
    try folder.write("a/pytorch_model.bin", "stale")
    try folder.write("a/model-00001-of-00002.safetensors", "stale")
    try folder.write("a/model.safetensors", "broken")
    #expect(throws: CheckpointError.outputExists(path: path, canOverwrite: true)) { try write(to: path) }
    #expect(throws: CheckpointError.outputExists(path: path, canOverwrite: true)) {
      try ModelDirectory.checkWritable(path, overwrite: false)
    }
    try write(to: path, overwrite: true)
    #expect(try Path.list(path) == ["README.md", "checkpoints", "config.json", "model.safetensors"])
    #expect(try Path.list(path + "/checkpoints/1") == ["state"])
    #expect(try ModelDirectory.open(path).weights != nil)
    #expect(try Path.list(folder.path) == ["a"])
  }

  @Test func linksAreFollowed() throws {
    let folder = try TemporaryFolder()
    try write(to: folder.path + "/real")
    symlink("real", folder.path + "/link")
    try write(to: folder.path + "/link", overwrite: true)
    #expect(try Path.list(folder.path) == ["link", "real"])
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.path + "/link") == "real")
  }

  @Test func whatIsNoModelDirectoryIsNeverReplaced() throws {
    let folder = try TemporaryFolder()
    try folder.write("home/letters.txt", "dear")
    try folder.write("file", "x")
    try folder.write("bert/config.json", #"{"model_type": "bert"}"#)
    symlink("nowhere", folder.path + "/dangling")
    for name in ["home", "file", "bert"] {
      let path = folder.path + "/" + name
      for overwrite in [false, true] {
        #expect(
          throws: overwrite
            ? CheckpointError.outputIsNoModelDirectory(path: path)
            : CheckpointError.outputExists(path: path, canOverwrite: false)
        ) { try write(to: path, overwrite: overwrite) }
      }
    }
    #expect(throws: CheckpointError.self) { try write(to: folder.path + "/dangling") }
    #expect(try Path.list(folder.path) == ["bert", "dangling", "file", "home"])
    #expect(try Path.list(folder.path + "/home") == ["letters.txt"])
  }

  @Test func placesThatCannotBe() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("file", "x")
    #expect(throws: FileError.notDirectory(path: file)) {
      try ModelDirectory.checkWritable(file + "/a", overwrite: false)
    }
    #expect(throws: Error.self) { try ModelDirectory.checkWritable("/proc/a", overwrite: false) }
    #expect(throws: CheckpointError.self) { try ModelDirectory.checkWritable(".", overwrite: true) }
    #expect(throws: Never.self) { try ModelDirectory.checkWritable(folder.path + "/x/y/z", overwrite: false) }
    #expect(try Path.list(folder.path) == ["file"])
  }

  @Test func aFailureLeavesNothing() throws {
    let folder = try TemporaryFolder()
    // Two files with one name: the second cannot be created.
    #expect(throws: FileError.self) { try write(to: folder.path + "/b/a", files: [("x", []), ("x", [])]) }
    #expect(try Path.list(folder.path) == [])
    try write(to: folder.path + "/a")
    #expect(throws: FileError.self) {
      try write(to: folder.path + "/a", overwrite: true, files: [("no/such/folder", [])])
    }
    #expect(try Path.list(folder.path) == ["a"])
    #expect(try ModelDirectory.open(folder.path + "/a").weights != nil)
  }
}
