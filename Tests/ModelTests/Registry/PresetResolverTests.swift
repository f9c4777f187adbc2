import Foundation
import TestSupport
import Testing

@testable import Files
@testable import Hub
@testable import Model
@testable import Text

private let golden = Golden.url("checkpoint/micro").path
private let name = "distil_bert_base_en_uncased"
private let commit = "12040accade4e8a0f71eabdb258fecc2e7e948be"

@Suite struct PresetResolverTests {
  let folder: TemporaryFolder
  let hub: Hub
  let registry: PresetRegistry

  init() throws {
    folder = try TemporaryFolder()
    hub = Hub(HubEnvironment(["HF_HUB_CACHE": folder.path]), isOffline: true)
    registry = try PresetRegistry.builtIn()
  }

  @Test func directory() throws {
    let found = try registry.resolve(golden, hub: hub)
    #expect(found.source == .directory(golden) && found.tokenizerDirectory == golden)
    #expect(found.weightsDirectory == golden && found.configuration.hiddenDim == 32 && found.isLowercase == nil)
    #expect(try registry.resolve(golden, hub: hub, loadWeights: false).weightsDirectory == nil)
    #expect(throws: CheckpointError.self) { try registry.resolve(folder.path, hub: hub) }
    #expect(throws: FileError.self) { try registry.resolve(golden + "/config.json", hub: hub) }
  }

  @Test func embedded() throws {
    let found = try registry.resolve("distil_bert_tiny_en_uncased", hub: hub)
    #expect(found.source == .embedded("distil_bert_tiny_en_uncased") && found.isLowercase == true)
    guard case .embedded = found.tokenizer, case .embedded = found.weights else {
      Issue.record("not embedded")
      return
    }
    let random = try registry.resolve("distil_bert_tiny_en_uncased", hub: hub, loadWeights: false)
    guard case .random = random.weights else {
      Issue.record("weights were not requested")
      return
    }
    // Only the built-in registry may mark something as part of the program.
    let own = JSONValue.object([
      ("presets", .array([.object([("name", .string("distil_bert_tiny_en_uncased")), ("embedded", .bool(true))])]))
    ])
    #expect(throws: PresetError.self) { try PresetRegistry(json: own, file: "own.json") { _, _ in (1, 1) } }
  }

  @Test func presetInTheCache() throws {
    let snapshot = "models--distilbert--distilbert-base-uncased/snapshots/\(commit)/"
    let error = #expect(throws: HubError.self) { try registry.resolve(name, hub: hub) }
    #expect(error?.message.contains(folder.path) == true && error?.message.contains(commit) == true)

    // With random weights, the vocabulary is enough: the architecture is known.
    try folder.write(snapshot + "vocab.txt", "x")
    let bare = try registry.resolve(name, hub: hub, loadWeights: false)
    #expect(bare.configuration.parameterCount == 66_985_530 && bare.weightsDirectory == nil)
    #expect(throws: HubError.self) { try registry.resolve(name, hub: hub) }
    #expect(registry[name].map { registry.isAvailable($0, hub: hub) } == false)

    try folder.write(snapshot + "config.json", FileMapping.contents(of: golden + "/config.json"))
    try folder.write(snapshot + "model.safetensors", "x")
    let found = try registry.resolve(name, hub: hub)
    #expect(found.weightsDirectory == folder.path + "/" + snapshot.dropLast())
    #expect(found.isLowercase == true && found.displayName == name)
    #expect(registry[name].map { registry.isAvailable($0, hub: hub) } == true)

    // Resolves the same by address, and by the old name of the repository.
    for address in ["hf://distilbert/distilbert-base-uncased@" + commit, "hf://distilbert-base-uncased@" + commit] {
      #expect(try registry.resolve(address, hub: hub).weightsDirectory == found.weightsDirectory)
    }
    // No branch is known: the hint names the cached revision.
    let main = #expect(throws: HubError.self) {
      try registry.resolve("hf://distilbert/distilbert-base-uncased", hub: hub)
    }
    #expect(main?.hint?.contains("@" + commit) == true)
  }

  @Test func presetUnderTheOldNameOfItsRepository() throws {
    try folder.write("models--distilbert-base-uncased/snapshots/\(commit)/tokenizer.json", "{}")
    #expect(throws: Never.self) { try registry.resolve(name, hub: hub, loadWeights: false) }
  }

  /// A file of the same name in the working directory does not interfere.
  @Test func orderOfPlaces() throws {
    let file = try folder.write("a-file", "x")
    #expect(throws: FileError.notDirectory(path: file)) { try registry.resolve(file, hub: hub) }
    let json = """
      {"presets": [{"name": "\(file)", "directory": "\(golden)"}, {"name": "\(golden)", "repository": "o/n"}]}
      """
    let own = try PresetRegistry.load(adding: folder.write("own.json", json))
    #expect(try own.resolve(file, hub: hub).source == .directory(golden))
    #expect(try own.resolve(golden, hub: hub).source == .directory(golden))
  }

  @Test func unknownNames() throws {
    func error(_ name: String) -> PresetError? {
      #expect(throws: PresetError.self) { try registry.resolve(name, hub: hub) }
    }
    #expect(
      error("distil_bert_base_en_uncase")?.hint?.hasPrefix("did you mean 'distil_bert_base_en_uncased'?") == true)
    #expect(
      error("distilbert/distilbert-base-cased")?.hint
        == "that is the repository of the preset distil_bert_base_en; its address is hf://distilbert/distilbert-base-cased"
    )
    #expect(error("distilbert-base-cased")?.hint == error("distilbert/distilbert-base-cased")?.hint)
    #expect(error("DISTIL-BERT-base-en")?.hint?.hasPrefix("did you mean 'distil_bert_base_en'?") == true)
    for link in ["https://huggingface.co/o/n", "https://huggingface.co/o/n/tree/main", "HF://o/n", "hf:o/n"] {
      #expect(error(link)?.hint == "for a repository of the hub, write hf://o/n")
    }
    #expect(error("o/n")?.hint == "for a repository of the hub, write hf://o/n")
    #expect(error("qwertyuiop")?.hint?.contains("distil_bert_tiny_en_uncased") == true)
    #expect(
      error("o/n")?.message
        == "unknown preset 'o/n': not a directory, and not in presets.json")
    #expect(error("")?.hint?.isEmpty == false)
    #expect(throws: HubError.malformedAddress(text: "hf://a/b/c")) { try registry.resolve("hf://a/b/c", hub: hub) }
  }

  @Test func whatCannotBeDownloaded() throws {
    for name in ["distil_bert_tiny_en_uncased", folder.path] {
      let error = #expect(throws: PresetError.self) { try registry.download(name, hub: hub) }
      #expect(error?.message.hasPrefix("'\(name)' is not on the hub: ") == true)
    }
    #expect(throws: PresetError.self) { try registry.download("no-such-preset", hub: hub) }
    #expect(throws: HubError.self) { try registry.download(name, hub: hub) }
  }

  /// A repository alone is enough; weights are downloaded if they are needed.
  @Test func aPresetOfOnesOwnIsFetched() throws {
    let server = try HubServer(try HubRepository("me/model", folder: Golden.url("model/micro").path))
    let cache = try TemporaryFolder()
    let own = try PresetRegistry.load(
      adding: folder.write("own.json", #"{"presets": [{"name": "mine", "repository": "me/model"}]}"#))
    let hub = Hub(HubEnvironment(["HF_ENDPOINT": server.endpoint, "HF_HUB_CACHE": cache.path]))
    #expect(own["mine"].map { own.isAvailable($0, hub: hub) } == false)
    let random = try own.resolve("mine", hub: hub, loadWeights: false)
    #expect(random.configuration.hiddenDim == 32 && random.weightsDirectory == nil)
    #expect(server.requests(for: "model.safetensors").isEmpty)
    let found = try own.resolve("mine", hub: hub)
    #expect(found.weightsDirectory != nil && own["mine"].map { own.isAvailable($0, hub: hub) } == true)
    server.forgetRequests()
    #expect(try own.resolve("mine", hub: hub).weightsDirectory == found.weightsDirectory)
    #expect(server.requests.isEmpty)
    // A branch may have moved, so a download asks the server.
    #expect(try own.download("mine", hub: hub) == found.weightsDirectory)
    #expect(!server.requests.isEmpty)
  }

  @Test func editDistance() {
    #expect(EditDistance.distance(Array("kitten".utf8), Array("sitting".utf8)) == 3)
    #expect(EditDistance.distance([], Array("abc".utf8)) == 3)
  }
}
