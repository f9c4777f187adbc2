import TestSupport
import Testing

@testable import Files
@testable import Hub

@Suite struct DigestTests {
  // The example in FIPS 180-2, and the output of `git hash-object`.
  @Test func knownValues() throws {
    let folder = try TemporaryFolder()
    let abc = try folder.write("abc", "abc")
    #expect(
      try Digest.sha256.ofFile(abc) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(try Digest.gitBlob.ofFile(abc) == "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f")
    let empty = try folder.write("empty", "")
    #expect(
      try Digest.sha256.ofFile(empty) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(try Digest.gitBlob.ofFile(empty) == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
  }

  /// A file of several chunks, the last of which is short.
  @Test func longFile() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("a", String(repeating: "a", count: 3_000_000))
    // printf 'a%.0s' {1..3000000} | sha256sum
    #expect(
      try Digest.sha256.ofFile(file) == "2a152c894398719c0570f83fac34ac03a0f6e8e474b995c2403aa5434f7b9dd4")
  }

  @Test func kindByTag() {
    #expect(Digest(tag: String(repeating: "a", count: 64)) == .sha256)
    #expect(Digest(tag: String(repeating: "0", count: 40)) == .gitBlob)
    #expect(Digest(tag: String(repeating: "g", count: 64)) == nil)
    #expect(Digest(tag: String(repeating: "A", count: 40)) == nil)
    #expect(Digest(tag: "abc-1") == nil)
  }

  @Test func missingFileAndStop() throws {
    #expect(throws: FileError.missing(path: "/nothing/here")) { try Digest.sha256.ofFile("/nothing/here") }
    let folder = try TemporaryFolder()
    let file = try folder.write("a", "a")
    #expect(throws: HubError.interrupted(kept: nil)) { try Digest.sha256.ofFile(file, shouldStop: { true }) }
  }
}
