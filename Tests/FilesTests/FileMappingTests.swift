import Foundation
import Glibc
import TestSupport
import Testing

@testable import Files

@Suite struct MappingTests {
  @Test func mapsBytes() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a", [1, 2, 3])
    let mapping = try FileMapping(path: path)
    #expect(mapping.withText { Array($0) } == [1, 2, 3])
    #expect(try FileMapping.contents(of: path) == [1, 2, 3])
  }

  /// Released pages are read again when they are accessed.
  @Test func releasesPages() throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let mapping = try FileMapping(path: try folder.write("a", bytes))
    for part in [0..<50_000, 5000..<5001, 7..<7, 49_999..<50_000] {
      mapping.release(part)
      #expect(mapping.withText { Array($0) } == bytes)
    }
  }

  @Test func emptyFile() throws {
    let folder = try TemporaryFolder()
    #expect(try FileMapping.contents(of: folder.write("a", [])).isEmpty)
  }

  @Test func readsFilesThatCannotBeMapped() throws {
    #expect(try FileMapping(path: "/proc/self/status").bytes.count > 100)
    #expect(try FileMapping(path: "/dev/null").bytes.count == 0)
  }

  @Test func errors() throws {
    let folder = try TemporaryFolder()
    #expect(throws: FileError.missing(path: folder.path + "/no")) { try FileMapping(path: folder.path + "/no") }
    #expect(throws: FileError.isDirectory(path: folder.path)) { try FileMapping(path: folder.path) }
    let path = try folder.write("a", [1])
    #expect(throws: FileError.notDirectory(path: path + "/b")) { try FileMapping(path: path + "/b") }
  }

  @Test(.enabled(if: geteuid() != 0, "root may read everything"))
  func noPermission() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a", [1])
    chmod(path, 0)
    #expect(throws: FileError.notPermitted(path: path, writing: false)) { try FileMapping(path: path) }
  }
}
