import Glibc
import TestSupport
import Testing

@testable import Files
@testable import Model

@Suite struct OpenFileTests {
  func read(_ file: OpenFile, at offset: Int, count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
    return bytes
  }

  @Test func readsAnywhere() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a", "the fox")
    let file = try OpenFile(path: path)
    #expect(try read(file, at: 4, count: 3) == Array("fox".utf8))
    #expect(try read(file, at: 0, count: 7) == Array("the fox".utf8))
    #expect(try read(file, at: 7, count: 0).isEmpty)
    #expect(throws: FileError.becameShorter(path: path)) { try read(file, at: 5, count: 3) }
    #expect(throws: FileError.missing(path: path + "no")) { try OpenFile(path: path + "no") }
  }

  @Test func temporaryFile() throws {
    let folder = try TemporaryFolder()
    let file = try OpenFile.temporary(in: folder.path)
    for part in ["the ", "fox"] { try Array(part.utf8).withUnsafeBytes { try file.write($0) } }
    #expect(try read(file, at: 2, count: 5) == Array("e fox".utf8))
    #expect(try Path.list(folder.path).isEmpty)
    #expect(throws: FileError.missing(path: "/nowhere/mlm-XXXXXX")) { try OpenFile.temporary(in: "/nowhere") }
  }

  /// A corpus whose file was truncated meanwhile gives an error and does not crash.
  @Test func textThatIsGone() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a", String(repeating: "the quick fox\n", count: 1000))
    let corpus = try TextCorpus(
      paths: [path], tokenizer: try SmallTokenizer.english(), options: CorpusOptions(sequenceLength: 16))
    #expect(try corpus.sample(999, epoch: 0).tokenIDs.count == 5)
    #expect(truncate(path, 100) == 0)
    #expect(throws: FileError.becameShorter(path: path)) { try corpus.sample(999, epoch: 0) }
    #expect(try corpus.sample(0, epoch: 0).tokenIDs.count == 5)
  }
}
