import Foundation
import TestSupport
import Testing

@testable import Hub

/// The requests of a download, and the content of the cache afterward.
@Suite struct SnapshotFetcherTests {
  static let commit = HubFixture.commit

  // MARK: The cache

  /// The same names as huggingface_hub 2.4 creates for the same files (`Scripts/check-hub` compares the two).
  @Test func layout() throws {
    let fixture = try HubFixture()
    try fixture.fetch()
    var expected: [String: HubFixture.Entry] = [
      "CACHEDIR.TAG": .file(
        Data(
          """
          Signature: 8a477f597d28d172789f06886806bc55
          # This file is a cache directory tag created by huggingface_hub.
          # For information about cache directory tags, see:
          #\thttps://bford.info/cachedir/

          """.utf8)),
      ".locks": .folder, ".locks/models--o--n": .folder, "models--o--n": .folder, "models--o--n/blobs": .folder,
      "models--o--n/snapshots": .folder, "models--o--n/snapshots/\(Self.commit)": .folder,
      "models--o--n/refs": .folder, "models--o--n/refs/main": .file(Data(Self.commit.utf8)),
      "models--o--n/.no_exist": .folder, "models--o--n/.no_exist/\(Self.commit)": .folder,
      "models--o--n/.no_exist/\(Self.commit)/special_tokens_map.json": .file(Data()),
      "models--o--n/.no_exist/\(Self.commit)/tokenizer.json": .file(Data()),
    ]
    for (name, file) in HubFixture.files {
      expected[".locks/models--o--n/\(file.etag).lock"] = .file(Data())
      expected["models--o--n/blobs/\(file.etag)"] = .file(Data(file.bytes))
      expected["models--o--n/snapshots/\(Self.commit)/\(name)"] = .link("../../blobs/\(file.etag)")
    }
    let found = fixture.entries
    #expect(Set(found.keys) == Set(expected.keys), "\(Set(found.keys).symmetricDifference(expected.keys).sorted())")
    for (name, entry) in expected { #expect(found[name] == entry, "\(name)") }
    // Others in the group must be able to lock a file, regardless of the umask.
    for file in HubFixture.files.values {
      let path = fixture.cache + "/.locks/models--o--n/\(file.etag).lock"
      #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o664)
    }
  }

  @Test func weightsOnDemand() throws {
    let fixture = try HubFixture()
    try fixture.fetch(HubFixture.main, [.configuration, .vocabulary])
    #expect(fixture.server.requests.allSatisfy { !$0.path.contains("/model.") })
    fixture.expectIntact()
    // Only the rest.
    fixture.server.forgetRequests()
    try fixture.expectSuccess()
    #expect(fixture.server.requests(for: "vocab.txt").isEmpty && fixture.server.requests(for: "tokenizer.json").isEmpty)
    #expect(fixture.server.requests(for: "config.json", method: "GET").isEmpty)
  }

  @Test(arguments: [HubFixture.main, HubFixture.pinned]) func completeNeedsNoRequest(_ address: HubAddress) throws {
    let fixture = try HubFixture()
    try fixture.fetch()
    fixture.server.forgetRequests()
    let before = try fixture.modificationDates()
    try fixture.fetch(address)
    #expect(fixture.server.requests.isEmpty)
    #expect(try fixture.modificationDates() == before, "a cache hit writes nothing")
    // It does not contact the hub at all.
    fixture.server.stop()
    try fixture.fetch(address, with: fixture.hub(["HF_ENDPOINT": "nonsense:", "HF_TOKEN": "bad token"]))
  }

  @Test func pinnedWritesNoReference() throws {
    let fixture = try HubFixture()
    try fixture.expectSuccess(HubFixture.pinned)
    #expect(fixture.entries["models--o--n/refs"] == nil)
    let requests = fixture.server.requests.filter { $0.host == .hub }
    #expect(requests.allSatisfy { $0.target.contains("/resolve/\(Self.commit)/") })
  }

  @Test func oneCommitForAllFiles() throws {
    let fixture = try HubFixture()
    try fixture.fetch()
    let names = fixture.server.requests.filter { $0.target.contains("/resolve/main/") }.map(\.path)
    #expect(names.allSatisfy { $0 == "/o/n/resolve/main/config.json" }, "the branch may move: \(names)")
  }

  @Test func offline() throws {
    let fixture = try HubFixture()
    let hubs = [
      fixture.hub(isOffline: true), fixture.hub(["HF_HUB_OFFLINE": "1"]), fixture.hub(["TRANSFORMERS_OFFLINE": "yes"]),
    ]
    for hub in hubs {
      fixture.expectFailure(saying: "is not in the hub cache", with: hub, kind: "notInCache")
    }
    #expect(fixture.server.requests.isEmpty && fixture.entries.isEmpty)
    try fixture.fetch()
    fixture.server.forgetRequests()
    try fixture.fetch(refresh: true, with: fixture.hub(isOffline: true))
    #expect(fixture.server.requests.isEmpty)
  }

  @Test func linksOrCopies() throws {
    let fixture = try HubFixture()
    let hub = fixture.hub(["HF_HUB_DISABLE_SYMLINKS": "1"])
    try fixture.expectSuccess(with: hub)
    for (name, file) in HubFixture.files {
      #expect(fixture.entries["models--o--n/snapshots/\(Self.commit)/\(name)"] == .file(Data(file.bytes)))
    }
    fixture.server.forgetRequests()
    try fixture.fetch()
    #expect(fixture.server.requests.isEmpty, "a file is as good as a link")
  }

  @Test func linkToAMissingBlob() throws {
    let fixture = try HubFixture()
    try fixture.fetch()
    try FileManager.default.removeItem(atPath: fixture.cache + "/models--o--n/blobs/\(HubFixture.weights.etag)")
    try fixture.expectSuccess()
  }

  /// Content that the cache already has, as other revisions share it, is not downloaded again.
  @Test func sharedBlobs() throws {
    var repository = HubRepository("o/n", files: HubFixture.files)
    var files = HubFixture.files
    files["vocab.txt"] = HubFile("other\n")
    repository.commits[HubRepository.commit(2)] = files
    let fixture = try HubFixture(repository)
    try fixture.fetch()
    fixture.server.forgetRequests()
    repository.references["main"] = HubRepository.commit(2)
    fixture.server.add(repository)
    #expect(try fixture.fetch().hasSuffix(Self.commit), "no request for a branch in the cache")
    #expect(fixture.server.requests.isEmpty)
    #expect(try fixture.fetch(refresh: true).hasSuffix(HubRepository.commit(2)))
    #expect(fixture.server.requests.filter { $0.method == "GET" }.map(\.path).allSatisfy { $0.hasSuffix("/vocab.txt") })
    #expect(fixture.entries["models--o--n/refs/main"] == .file(Data(HubRepository.commit(2).utf8)))
    // The old snapshot is still complete.
    fixture.server.stop()
    try fixture.fetch(HubFixture.pinned)
  }

  @Test func refreshWithoutANetwork() throws {
    for misbehavior in [Misbehavior.portal, .status(503), .raw("")] {
      let fixture = try HubFixture()
      try fixture.fetch()
      fixture.server.misbehave(misbehavior, times: .max)
      #expect(try fixture.fetch(refresh: true).hasSuffix(Self.commit))
      #expect(fixture.events.notes.last?.contains("using the cached copy") == true)
      fixture.expectIntact()
    }
    let fixture = try HubFixture()
    try fixture.fetch()
    fixture.server.stop()
    #expect(try fixture.fetch(refresh: true).hasSuffix(Self.commit))
  }

  @Test func cacheIsNotWritable() throws {
    let fixture = try HubFixture()
    let file = try fixture.folder.write("file", "")
    for cache in [file, file + "/cache"] {
      let hub = fixture.hub(["HF_HUB_CACHE": cache])
      fixture.expectFailure(saying: file, with: hub, kind: "cacheNotWritable")
    }
    #expect(fixture.server.requests.allSatisfy { $0.method == "HEAD" })
  }

  // MARK: The repository

  @Test func branchWithSlashes() throws {
    var repository = HubRepository("o/n", files: HubFixture.files)
    repository.references = ["refs/pr/1": Self.commit]
    let fixture = try HubFixture(repository)
    try fixture.expectSuccess(HubAddress(repository: "o/n", revision: "refs/pr/1"))
    #expect(fixture.server.requests.first?.target == "/o/n/resolve/refs%2Fpr%2F1/config.json")
    #expect(fixture.entries["models--o--n/refs/refs/pr/1"] == .file(Data(Self.commit.utf8)))
  }

  @Test func repositoryWithoutOwner() throws {
    let fixture = try HubFixture(HubRepository("n", files: HubFixture.files))
    try fixture.expectSuccess(HubAddress(repository: "n", revision: "main"))
    #expect(fixture.entries["models--n/refs/main"] != nil)
  }

  @Test func renamed() throws {
    let fixture = try HubFixture(HubRepository("o/new", files: HubFixture.files))
    fixture.server.rename("old", to: "o/new")
    try fixture.expectSuccess(HubAddress(repository: "old", revision: "main"))
    #expect(fixture.entries["models--old"] == .folder && fixture.entries["models--o--new"] == nil)
  }

  @Test func shards() throws {
    var files = HubFixture.files
    files["model.safetensors"] = nil
    files["model.safetensors.index.json"] = HubFile(
      """
      {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors", \
      "c": "model-00001-of-00002.safetensors"}}
      """)
    files["model-00001-of-00002.safetensors"] = .generated(5000, seed: 2)
    files["model-00002-of-00002.safetensors"] = .generated(5000, seed: 3)
    let fixture = try HubFixture(HubRepository("o/n", files: files))
    fixture.server.misbehave(.status(403), on: "model-00002-of-00002.safetensors", times: .max)
    fixture.expectFailure(saying: "status 403")
    try fixture.expectSuccess()
    #expect(fixture.server.requests(for: "model-00001-of-00002.safetensors", method: "GET").count == 1)
  }

  /// The names in an index are untrusted.
  @Test(arguments: [
    "../../../../o/n/resolve/\(commit)/payload", "/o/n/resolve/\(commit)/payload", "a/../../\(commit)/payload",
    "../../../../evil", "/etc/passwd", "", ".", "x\\u0000y",
  ])
  func hostileIndex(_ name: String) throws {
    var files = HubFixture.files
    files["model.safetensors"] = nil
    files["model.safetensors.index.json"] = HubFile("{\"weight_map\": {\"a\": \"\(name)\"}}")
    files["payload"] = HubFile("evil")
    let fixture = try HubFixture(HubRepository("o/n", files: files))
    let before = try FileManager.default.subpathsOfDirectory(atPath: fixture.folder.path)
    #expect(throws: (any Error).self) { try fixture.fetch() }
    let outside = try FileManager.default.subpathsOfDirectory(atPath: fixture.folder.path)
      .filter { !$0.hasPrefix("cache") }
    #expect(outside == before.filter { !$0.hasPrefix("cache") })
    let strange = fixture.entries.keys.filter { ["evil", "passwd", "payload"].contains($0.split(separator: "/").last) }
    #expect(strange.isEmpty, "\(strange)")
  }

  @Test func kerasPreset() throws {
    let files = [
      "config.json": HubFile("{\"registered_name\": \"keras_hub>DistilBertBackbone\", \"config\": {}}"),
      "tokenizer.json": HubFile("{\"registered_name\": \"keras_hub>DistilBertTokenizer\"}"),
      "assets/tokenizer/vocabulary.txt": HubFile("a\nb\n"),
      "model.weights.h5": .generated(5000),
    ]
    let fixture = try HubFixture(HubRepository("o/n", files: files))
    try fixture.expectSuccess()
    let link = fixture.entries["models--o--n/snapshots/\(Self.commit)/assets/tokenizer/vocabulary.txt"]
    #expect(link == .link("../../../../blobs/\(files["assets/tokenizer/vocabulary.txt"]?.etag ?? "")"))
    fixture.server.forgetRequests()
    try fixture.fetch()
    #expect(fixture.server.requests.isEmpty)
  }

  // MARK: Concurrent downloads

  @Test func twoAtOnce() async throws {
    let fixture = try HubFixture()
    fixture.server.misbehave(.drip(bytesPerSecond: 400_000), on: "model.safetensors", times: .max)
    let hub = fixture.hub()
    let directories = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<2 {
        group.addTask { try hub.snapshot(HubFixture.main, preset: nil, parts: HubFixture.everything) }
      }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }
    #expect(directories.count == 1)
    let gets = fixture.server.requests(for: "model.safetensors", method: "GET")
    #expect(gets.count == 1, "one waits for the other")
    try fixture.expectSuccess()
  }
}

extension HubFixture {
  /// The modification date of each entry of the cache.
  func modificationDates() throws -> [String: Date?] {
    var dates: [String: Date?] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: cache) {
      let attributes = try FileManager.default.attributesOfItem(atPath: cache + "/" + name)
      dates[name] = attributes[.modificationDate] as? Date
    }
    return dates
  }
}
