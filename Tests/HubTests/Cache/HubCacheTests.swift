import Foundation
import Glibc
import TestSupport
import Testing

@testable import Hub

@Suite struct CacheTests {
  // The values that huggingface_hub's constants.py computes.
  @Test func cacheDirectory() {
    func directory(_ variables: [String: String]) -> String { HubEnvironment(variables).cacheDirectory }
    #expect(directory(["HOME": "/h"]) == "/h/.cache/huggingface/hub")
    #expect(directory(["HOME": "/h", "XDG_CACHE_HOME": "/x"]) == "/x/huggingface/hub")
    #expect(directory(["HOME": "/h", "XDG_CACHE_HOME": "/x", "HF_HOME": "~/f"]) == "/h/f/hub")
    #expect(directory(["HF_HOME": "/f", "HUGGINGFACE_HUB_CACHE": "/old"]) == "/old")
    #expect(
      directory(["HF_HUB_CACHE": "$D/${E}/$F", "HUGGINGFACE_HUB_CACHE": "/old", "D": "/d", "E": "e"]) == "/d/e/$F")
    #expect(directory(["HOME": "/h", "HF_HUB_CACHE": ""]) == "/h/.cache/huggingface/hub")
    #expect(!directory([:]).isEmpty)
  }

  @Test func addresses() throws {
    #expect(try HubAddress.parse("hf://a/b") == HubAddress(repository: "a/b", revision: "main"))
    #expect(try HubAddress.parse("hf://a/b@refs/pr/1") == HubAddress(repository: "a/b", revision: "refs/pr/1"))
    #expect(try HubAddress.parse("hf://b") == HubAddress(repository: "b", revision: "main"))
    #expect(try HubAddress.parse("a/b") == nil)
    for text in [
      "hf://", "hf://a/", "hf:///a", "hf://a/b/c", "hf://../a", "hf://a/b@", "hf://a/b@../x", "hf://a/b@x//y",
      "hf://a b",
    ] {
      #expect(throws: HubError.malformedAddress(text: text), "\(text)") { try HubAddress.parse(text) }
    }
  }

  @Test func findsSnapshots() throws {
    let folder = try TemporaryFolder()
    let cache = HubCache(HubEnvironment(["HF_HUB_CACHE": folder.path]))
    let commit = String(repeating: "a", count: 40)
    let pinned = HubAddress(repository: "o/n", revision: commit)
    let main = HubAddress(repository: "o/n", revision: "main")
    #expect(cache.find(pinned, parts: [.configuration]) == .missing(["config.json"], others: []))

    // The layout of clients: links to blobs.
    try folder.write("models--o--n/blobs/1", "{}")
    try folder.write("models--o--n/snapshots/\(commit)/vocab.txt", "x")
    symlink("../../blobs/1", folder.path + "/models--o--n/snapshots/\(commit)/config.json")
    let snapshot = folder.path + "/models--o--n/snapshots/" + commit
    #expect(cache.find(pinned, parts: [.configuration, .vocabulary]) == .found(snapshot))
    #expect(
      cache.find(pinned, parts: [.configuration, .weights])
        == .missing(["model.safetensors or model.safetensors.index.json"], others: []))
    #expect(cache.find(main, parts: [.configuration]) == .missing(["config.json"], others: [commit]))

    try folder.write("models--o--n/refs/main", commit)
    try folder.write("models--o--n/refs/pr/1", commit + "\n")
    #expect(cache.find(main, parts: [.configuration]) == .found(snapshot))
    #expect(cache.find(HubAddress(repository: "o/n", revision: "pr/1"), parts: []) == .found(snapshot))
    #expect(
      cache.find(HubAddress(repository: "x/n", revision: "main"), aliases: ["o/n"], parts: [.vocabulary])
        == .found(snapshot))
    // A reference that leads out of the cache is ignored.
    try folder.write("models--o--n/refs/evil", "../../..")
    #expect(cache.find(HubAddress(repository: "o/n", revision: "evil"), parts: []) == .missing([], others: [commit]))
    // A broken link counts as a missing file.
    unlink(folder.path + "/models--o--n/blobs/1")
    #expect(cache.find(main, parts: [.configuration]) == .missing(["config.json"], others: []))
  }
}
