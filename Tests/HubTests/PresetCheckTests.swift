import Foundation
import TestSupport
import Testing

@testable import Hub

@Suite struct PresetCheckTests {
  let folder: TemporaryFolder
  let cache: FakeCache

  init() throws {
    folder = try TemporaryFolder()
    cache = FakeCache(path: folder.path)
  }

  private func checks(_ directory: String, _ files: [Preset.File] = []) throws -> [String: PresetCheck] {
    var checks: [String: PresetCheck] = [:]
    try FileVerifier(directory: directory, files: files, shouldStop: { false }).run { checks[$0.subject] = $0 }
    return checks
  }

  private func file(_ name: String, size: Int? = nil, _ sum: String? = nil, isOptional: Bool = false) -> Preset.File {
    Preset.File(name: name, size: size, sha256: sum, isOptional: isOptional)
  }

  @Test func snapshot() throws {
    let snapshot = try cache.add("o/n", ["config.json": Data("{}".utf8), "model.safetensors": Data("w".utf8)])
    let found = try checks(snapshot)
    #expect(found.count == 2 && found.values.allSatisfy { $0.outcome == .ok })
    #expect(found["config.json"]?.details == "2 bytes, git blob id 9e26dfeeb6e6… as in the cache")
    #expect(found["model.safetensors"]?.details == "1 bytes, SHA-256 50e721e49c01… as in the cache")
  }

  @Test func registry() throws {
    let snapshot = try cache.add("o/n", ["config.json": Data("{}".utf8), "model.safetensors": Data("w".utf8)])
    let sum = Hash.sha256(Array("{}".utf8))
    let good = try checks(snapshot, [file("config.json", size: 2, sum), file("vocab.txt", isOptional: true)])
    #expect(good.count == 2 && good["config.json"]?.outcome == .ok)
    #expect(
      good["config.json"]?.details.hasSuffix("as in the registry, git blob id 9e26dfeeb6e6… as in the cache")
        == true)

    let other = Hash.sha256([1])
    let bad = try checks(snapshot, [file("config.json", other), file("model.safetensors", size: 7), file("vocab.txt")])
    #expect(
      bad["config.json"] == PresetCheck("config.json", .differs, "SHA-256 is \(sum), but the registry says \(other)"))
    // The hash overrides the size.
    #expect(bad["model.safetensors"]?.outcome == .ok)
    #expect(
      bad["model.safetensors"]?.details.hasPrefix("1 bytes, but the registry says 7, SHA-256 50e721e49c01") == true)
    let sized = try checks(
      snapshot, [file("model.safetensors", size: 7, other), file("config.json", size: 2)])["model.safetensors"]
    #expect(sized == PresetCheck("model.safetensors", .differs, "1 bytes, but the registry says 7"))
    #expect(bad["vocab.txt"] == PresetCheck("vocab.txt", .differs, "missing"))
  }

  @Test func damagedAndDangling() throws {
    let snapshot = try cache.add("o/n", ["config.json": Data("{}".utf8), "model.safetensors": Data("w".utf8)])
    // Write through the link, so that the blob's name is no longer its hash.
    try Data("[]".utf8).write(to: URL(fileURLWithPath: snapshot + "/config.json").resolvingSymlinksInPath())
    try FileManager.default.removeItem(
      at: URL(fileURLWithPath: snapshot + "/model.safetensors").resolvingSymlinksInPath())
    let found = try checks(snapshot, [file("config.json", size: 2)])
    #expect(found["config.json"]?.outcome == .differs)
    #expect(
      found["config.json"]?.details.hasSuffix("but its name in the cache is 9e26dfeeb6e641a33dae4961196235bdb965b21b")
        == true)
    #expect(found["model.safetensors"]?.details == "a link to a missing blob")
  }

  @Test func alternativeFiles() throws {
    let snapshot = try cache.add("o/n", ["config.json": Data("{}".utf8), "tokenizer.json": Data("{}".utf8)])
    #expect(try checks(snapshot, [file("vocab.txt")]).count == 2)
    // KerasHub's tokenizer.json does not have a vocabulary.
    let keras = [
      "config.json": Data(#"{"registered_name": "keras_hub>DistilBertBackbone"}"#.utf8),
      "tokenizer.json": Data("{}".utf8), "assets/tokenizer/vocabulary.txt": Data("a".utf8),
    ]
    let other = try cache.add("o/keras", keras)
    #expect(HubPart.vocabulary.missing(in: other) == nil)
    let vocabulary = URL(fileURLWithPath: other + "/assets/tokenizer/vocabulary.txt")
    try Data("b".utf8).write(to: vocabulary.resolvingSymlinksInPath())
    #expect(try checks(other)["assets/tokenizer/vocabulary.txt"]?.outcome == .differs)
    try FileManager.default.removeItem(at: vocabulary)
    #expect(HubPart.vocabulary.missing(in: other) == "assets/tokenizer/vocabulary.txt")
  }

  @Test func plainDirectory() throws {
    try folder.write("m/vocab.txt", "abc")
    try folder.write("m/.hidden", "abc")
    try folder.write("m/checkpoints/x", "abc")
    let found = try checks(folder.path + "/m")
    #expect(found == ["vocab.txt": PresetCheck("vocab.txt", .unchecked, "3 bytes, no hash to compare with")])
  }

  @Test func addressOfASnapshot() {
    let commit = FakeCache.commit
    #expect(
      HubAddress(snapshot: "/c/models--o--n/snapshots/\(commit)/") == HubAddress(repository: "o/n", revision: commit))
    #expect(HubAddress(snapshot: "models--n-a/snapshots/\(commit)")?.repository == "n-a")
    for path in [
      "", "/", "/x", "/c/models--o--n/snapshots/main", "/c/o--n/snapshots/\(commit)", commit,
      "/models--o--n/other/\(commit)", "models--/snapshots/\(commit)",
    ] { #expect(HubAddress(snapshot: path) == nil, "\(path)") }
  }
}
