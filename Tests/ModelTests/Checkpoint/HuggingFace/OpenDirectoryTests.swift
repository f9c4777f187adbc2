import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Files
@testable import Model

/// A model directory that is replaced while it is read gives the old model or the new one, never parts of both.
@Suite struct OpenDirectoryTests {
  private let folder: TemporaryFolder
  private var path: String { folder.path + "/model" }

  init() throws { folder = try TemporaryFolder() }

  /// Two models that differ in configuration, tokenizer and weights.
  private func model(isFirst: Bool) throws -> DistilBertMaskedLM {
    var configuration = try SmallModel.micro().configuration
    configuration.dropout = isFirst ? 0.25 : 0.5
    let vocabulary = try WordPieceTokenizer.load(directory: SmallModel.micro).vocabulary
    let tokenizer = try WordPieceTokenizer(vocabulary: vocabulary, options: .init(lowercase: isFirst))
    return try DistilBertMaskedLM(
      configuration: configuration, preprocessor: .init(tokenizer: tokenizer, sequenceLength: 48),
      seed: isFirst ? 1 : 2, threads: 1)
  }

  /// Returns which of them each part of a model belongs to.
  private func parts(_ model: DistilBertMaskedLM, _ first: Float) throws -> [Bool] {
    let tokenizer = try #require(model.preprocessor?.tokenizer)
    return [
      model.configuration.dropout == 0.25, tokenizer.options.lowercase,
      model.network.parameters.parameters[0].values[0] == first,
    ]
  }

  /// Loads the model at the path repeatedly while `change` runs on another thread; returns how often it was each of the
  /// two.
  private func load(_ first: Float, while change: @escaping @Sendable () throws -> Void) throws -> (
    first: Int, second: Int
  ) {
    let isDone = Atomic(false)
    let failure = Mutex<(any Error)?>(nil)
    let thread = Thread {
      do { try change() } catch { failure.withLock { $0 = error } }
      isDone.store(true, ordering: .releasing)
    }
    thread.start()
    var count = (first: 0, second: 0)
    while !isDone.load(ordering: .acquiring) {
      let parts = try parts(.fromPreset(path, threads: 1), first)
      #expect(Set(parts).count == 1, "configuration, tokenizer and weights are of the first model: \(parts)")
      if parts[0] { count.first += 1 } else { count.second += 1 }
      if Set(parts).count > 1 { break }
    }
    while !isDone.load(ordering: .acquiring) { usleep(1000) }
    if let error = failure.withLock({ $0 }) { throw error }
    return count
  }

  /// As `fit --overwrite` does, which removes the old model's files.
  @Test func overwritten() throws {
    let (first, second) = (try model(isFirst: true), try model(isFirst: false))
    try first.save(to: path)
    let path = path
    nonisolated(unsafe) let models = [second, first]
    let count = try load(first.network.parameters.parameters[0].values[0]) {
      for turn in 0..<60 { try models[turn % 2].save(to: path, overwrite: true) }
    }
    #expect(count.first > 0 && count.second > 0)
  }

  /// Two directories that are exchanged, and both remain.
  @Test func exchanged() throws {
    let (first, second) = (try model(isFirst: true), try model(isFirst: false))
    let (path, other) = (path, folder.path + "/other")
    try first.save(to: path)
    try second.save(to: other)
    guard DirectoryReplacement.swap(path, other) == 0 else { return }  // not every file system can
    let count = try load(first.network.parameters.parameters[0].values[0]) {
      for _ in 0..<3000 {
        _ = DirectoryReplacement.swap(path, other)
        usleep(100)
      }
    }
    #expect(count.first > 0 && count.second > 0)
  }

  /// A file that is gone at the end may have been missed before: the result is discarded.
  @Test func filesThatVanish() throws {
    try model(isFirst: true).save(to: path)
    let directory = try #require(OpenDirectory(path))
    #expect(try directory.reading { try FileMapping.contents(of: path + "/config.json").count } > 0)
    #expect(throws: DirectoryReplaced(path: path)) {
      try directory.reading { unlink(path + "/tokenizer_config.json") }
    }
    // New files are not its concern.
    let again = try #require(OpenDirectory(path))
    try again.reading { try AtomicFile.write([1], to: path + "/new") }
    #expect(OpenDirectory(path + "/config.json") == nil && OpenDirectory(folder.path + "/none") == nil)
  }

  /// The directory that was opened, wherever its name leads; links in it keep their targets.
  @Test func pathsBelowIt() throws {
    try folder.write("a/config", "a")
    try folder.write("blobs/weights", "blob")
    try folder.write("b/config", "b")
    symlink("../blobs/weights", folder.path + "/a/weights")
    let (a, b) = (folder.path + "/a", folder.path + "/b")
    let directory = try #require(OpenDirectory(a + "/"))
    rename(a, folder.path + "/moved")
    rename(b, a)
    try directory.reading {
      #expect(try FileMapping.contents(of: a + "/config") == Array("a".utf8))
      #expect(try FileMapping.contents(of: a + "/weights") == Array("blob".utf8))
      #expect(Path.isFile(a + "/weights") && Path.size(a + "/weights") == 4 && Path.isDirectory(a))
      #expect(try Path.list(a) == ["config", "weights"])
      // A sibling whose name begins with the same text is a different directory.
      try AtomicFile.write(Array("c".utf8), to: a + "b")
      #expect(try FileMapping.contents(of: a + "b") == Array("c".utf8))
    }
    #expect(try FileMapping.contents(of: a + "/config") == Array("b".utf8))
  }
}
