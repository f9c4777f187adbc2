import Foundation
import Glibc
import TestSupport
import Testing

@testable import Files
@testable import Hub

@Suite struct CacheFolderTests {
  private static let commit = String(repeating: "c", count: 40)

  private func cacheFolder(_ folder: TemporaryFolder, usesSymlinks: Bool = true) -> CacheFolder {
    CacheFolder(HubCache(HubEnvironment(["HF_HUB_CACHE": folder.path])), "o/n", usesSymlinks: usesSymlinks)
  }

  private func part(for blob: String, _ text: String) throws -> PartFile {
    let part = try PartFile(for: blob)
    try Array(text.utf8).withUnsafeBytes { try part.append($0) }
    return part
  }

  @Test func linksAreRelativeAtEachDepth() throws {
    let folder = try TemporaryFolder()
    let cache = cacheFolder(folder)
    try cache.prepare()
    try cache.store(part(for: cache.blob("t"), "text"), "t", as: "a/b/c.txt", at: Self.commit)
    try cache.link("t", as: "d.txt", at: Self.commit)
    let snapshot = folder.path + "/models--o--n/snapshots/" + Self.commit
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: snapshot + "/d.txt") == "../../blobs/t")
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: snapshot + "/a/b/c.txt") == "../../../../blobs/t")
    #expect(try String(contentsOfFile: snapshot + "/a/b/c.txt", encoding: .utf8) == "text")
    #expect(cache.has("d.txt", at: Self.commit))
    // A link to a missing blob does not count as a file, and is repaired.
    unlink(cache.blob("t"))
    #expect(!cache.has("d.txt", at: Self.commit))
    try cache.store(part(for: cache.blob("u"), "new"), "u", as: "d.txt", at: Self.commit)
    #expect(try String(contentsOfFile: snapshot + "/d.txt", encoding: .utf8) == "new")
  }

  @Test func copiesWithoutLinks() throws {
    let folder = try TemporaryFolder()
    let cache = cacheFolder(folder, usesSymlinks: false)
    try cache.prepare()
    try cache.store(part(for: cache.blob("t"), "text"), "t", as: "a.txt", at: Self.commit)
    let file = cache.snapshot(Self.commit) + "/a.txt"
    #expect(try FileManager.default.attributesOfItem(atPath: file)[.type] as? FileAttributeType == .typeRegular)
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "text")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/models--o--n/blobs") == [])
  }

  @Test func references() throws {
    let folder = try TemporaryFolder()
    let cache = cacheFolder(folder)
    cache.writeReference("refs/pr/1", commit: Self.commit)
    let file = folder.path + "/models--o--n/refs/refs/pr/1"
    #expect(try String(contentsOfFile: file, encoding: .utf8) == Self.commit)
    // An equal reference is not written again.
    try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: file)
    cache.writeReference("refs/pr/1", commit: Self.commit)
    let date = try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date
    #expect(date == Date(timeIntervalSince1970: 1))
    cache.writeReference("refs/pr/1", commit: String(repeating: "d", count: 40))
    #expect(try String(contentsOfFile: file, encoding: .utf8).hasPrefix("dd"))
  }

  @Test func missingFiles() throws {
    let folder = try TemporaryFolder()
    let cache = cacheFolder(folder)
    #expect(!cache.isKnownMissing("a/b.txt", at: Self.commit))
    cache.noteMissing("a/b.txt", at: Self.commit)
    #expect(cache.isKnownMissing("a/b.txt", at: Self.commit))
    #expect(Path.size(folder.path + "/models--o--n/.no_exist/\(Self.commit)/a/b.txt") == 0)
  }

  @Test func parts() throws {
    let folder = try TemporaryFolder()
    let blob = folder.path + "/tag"
    var first: PartFile? = try part(for: blob, "0123")
    // While one client has the part, another gets a different part.
    let second = try PartFile(for: blob)
    #expect(first?.path == blob + ".6d6c6d30.incomplete" && second.path == blob + ".6d6c6d31.incomplete")
    #expect(second.count == 0)
    first = nil
    let again = try PartFile(for: blob)
    #expect(again.path == blob + ".6d6c6d30.incomplete" && again.count == 4)
    try Array("45".utf8).withUnsafeBytes { try again.append($0) }
    #expect(try String(contentsOfFile: again.path, encoding: .utf8) == "012345")
    try again.clear()
    #expect(again.count == 0 && Path.size(again.path) == 0)
    try Array("new".utf8).withUnsafeBytes { try again.append($0) }
    try again.move(to: blob)
    #expect(try String(contentsOfFile: blob, encoding: .utf8) == "new")
    second.discard()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["tag"])
  }

  /// The part of another user is skipped.
  @Test(.enabled(if: geteuid() != 0, "root may write to every file")) func partsOfOtherUsers() throws {
    let folder = try TemporaryFolder()
    let blob = folder.path + "/tag"
    let path = blob + ".6d6c6d30.incomplete"
    try Data("0123".utf8).write(to: URL(fileURLWithPath: path))
    #expect(chmod(path, 0o444) == 0)
    #expect(try PartFile(for: blob).path == blob + ".6d6c6d31.incomplete")
  }

  @Test func lockKeepsOthersOut() throws {
    let folder = try TemporaryFolder()
    let cache = cacheFolder(folder)
    let file = folder.path + "/.locks/models--o--n/t.lock"
    var waited = false
    try cache.withLock("t", shouldStop: { false }, onWait: { waited = true }) {
      // The lock from another process's point of view.
      let descriptor = open(file, O_RDWR)
      #expect(flock(descriptor, LOCK_EX | LOCK_NB) == -1)
      close(descriptor)
    }
    #expect(!waited)
    let descriptor = open(file, O_RDWR)
    defer { close(descriptor) }
    #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    #expect(throws: HubError.interrupted(kept: nil)) {
      try cache.withLock("t", shouldStop: { waited }, onWait: { waited = true }) { Issue.record("it is locked") }
    }
  }
}
