import Foundation
import Glibc
import TestSupport
import Testing

@testable import Files

@Suite struct AtomicFileTests {
  @Test func appearsWhole() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/f"
    let file = try AtomicFile(path: path)
    try file.write([1, 2])
    try file.write([3])
    #expect(Path.kind(path) == nil)
    try file.commit()
    #expect(try FileMapping.contents(of: path) == [1, 2, 3])
    #expect(try Path.list(folder.path) == ["f"])
  }

  @Test func abandonedKeepsTheExistingFile() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("f", [9])
    do {
      let file = try AtomicFile(path: path)
      try file.write([1, 2])
    }
    #expect(try FileMapping.contents(of: path) == [9])
    #expect(try Path.list(folder.path) == ["f"])
  }

  @Test func modeFollowsTheUmask() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write([1], to: folder.path + "/f")
    let plain = open(folder.path + "/g", O_CREAT | O_WRONLY, 0o666)
    close(plain)
    var (a, b) = (stat(), stat())
    stat(folder.path + "/f", &a)
    stat(folder.path + "/g", &b)
    #expect(a.st_mode == b.st_mode)
  }

  @Test func errors() throws {
    let folder = try TemporaryFolder()
    #expect(throws: FileError.missing(path: folder.path + "/no")) {
      try AtomicFile.write([1], to: folder.path + "/no/f")
    }
    #expect(throws: FileError.isDirectory(path: folder.path)) { try AtomicFile.write([1], to: folder.path) }
    #expect(try Path.list(folder.path) == [])
  }

  @Test func fullDiskIsReported() throws {
    let full = open("/dev/full", O_WRONLY)
    try #require(full >= 0)
    defer { close(full) }
    #expect(throws: FileError.noSpace(path: "f")) {
      try [UInt8(1)].withUnsafeBytes { try FileOutput.write($0, to: full, "f") }
    }
  }

  @Test func paths() {
    #expect(Path.parent("a/b/") == "a")
    #expect(Path.parent("a") == ".")
    #expect(Path.parent("/a") == "/")
    #expect(Path.name("/a/b//") == "b")
    #expect(Path.join("a/", "b") == "a/b")
    #expect(Path.join("a", "b") == "a/b")
  }
}
