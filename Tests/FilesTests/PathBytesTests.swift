import Glibc
import TestSupport
import Testing

@testable import Files

/// Conversion of paths with any bytes to strings and back.
@Suite struct PathBytesTests {
  @Test func everyByteComesBack() {
    let paths: [[UInt8]] = [
      Array("plain/é/中.txt".utf8), [0x63, 0xE9], Array(0x01...0xFF), [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [],
      // Surrogates and overlong forms, which are invalid in UTF-8.
      [0xED, 0xB3, 0xA9, 0xC0, 0xAF],
      // A path that has the characters for bytes itself: they are converted like other bytes.
      Array("a\u{10FE80}b\u{10FEFF}\u{10FF00}".utf8),
    ]
    for bytes in paths { #expect(String(path: bytes).pathBytes == bytes, "\(bytes)") }
    #expect(String(path: Array("é".utf8)) == "é" && String(path: [0x63, 0xE9]) != "c\u{FFFD}")
    #expect("é".cPath.map { UInt8(bitPattern: $0) } == [0xC3, 0xA9, 0])
  }

  /// Two paths never become the same string.
  @Test func noTwoPathsAreOneString() {
    let single = String(path: [0x80])
    #expect(!single.utf8.elementsEqual(String(path: Array(single.utf8)).utf8))
    #expect(String(path: Array(single.utf8)).pathBytes == Array(single.utf8))
  }

  @Test func filesOfSuchNames() throws {
    let folder = try TemporaryFolder()
    let directory = Path.join(folder.path, String(path: [0x64, 0xFF, 0x72]))
    var created: [String] = []
    try Path.makeDirectories(directory, created: &created)
    let file = Path.join(directory, String(path: [0xE9, 0x2E, 0x74]))
    try AtomicFile.write([1, 2], to: file)
    #expect(try FileMapping.contents(of: file) == [1, 2])
    #expect(try Path.list(directory).map(\.pathBytes) == [[0xE9, 0x2E, 0x74]])
    #expect(Path.resolved(file).pathBytes.suffix(8) == [0x2F, 0x64, 0xFF, 0x72, 0x2F, 0xE9, 0x2E, 0x74])
    #expect(Path.name(file).pathBytes == [0xE9, 0x2E, 0x74] && Path.isFile(file))
    var info = stat()
    #expect(stat(file.cPath, &info) == 0 && info.st_size == 2)
    #expect(throws: FileError.missing(path: file + "x")) { try FileMapping(path: file + "x") }
  }
}
