import Foundation
import Testing

@testable import Model

private let golden = Golden.url("checkpoint/micro").path
private let name = "distil_bert_base_en_uncased"
private let commit = "12040accade4e8a0f71eabdb258fecc2e7e948be"

@Suite struct PresetResolverTests {
  let folder: TemporaryFolder
  let environment: HubEnvironment
  let registry: PresetRegistry

  init() throws {
    folder = try TemporaryFolder()
    environment = HubEnvironment(["HF_HUB_CACHE": folder.path])
    registry = try PresetRegistry.builtIn()
  }

  @Test func directory() throws {
    let found = try registry.resolve(golden, environment: environment)
    #expect(found.source == .directory(golden) && found.tokenizer == .directory(golden))
    #expect(found.weightsDirectory == golden && found.configuration.hiddenDim == 32 && found.isLowercase == nil)
    #expect(try registry.resolve(golden, environment: environment, loadWeights: false).weightsDirectory == nil)
    #expect(throws: CheckpointError.self) { try registry.resolve(folder.path, environment: environment) }
    #expect(throws: FileError.self) { try registry.resolve(golden + "/config.json", environment: environment) }
  }

  @Test func embedded() throws {
    let found = try registry.resolve("distil_bert_tiny_en_uncased", environment: environment)
    #expect(found.source == .embedded("distil_bert_tiny_en_uncased") && found.weightsDirectory == nil)
    #expect(found.notes.count == 1 && found.isLowercase == true)
    guard case .vocabulary(let bytes, _) = found.tokenizer else {
      Issue.record("no vocabulary")
      return
    }
    #expect(PresetRegistry.lineCount(bytes) == found.configuration.vocabularySize)
    #expect(
      try registry.resolve("distil_bert_tiny_en_uncased", environment: environment, loadWeights: false).notes.isEmpty)
  }

  @Test func presetInTheCache() throws {
    let snapshot = "models--distilbert--distilbert-base-uncased/snapshots/\(commit)/"
    let error = #expect(throws: HubError.self) { try registry.resolve(name, environment: environment) }
    #expect(error?.message.contains(folder.path) == true)
    #expect(error?.hint?.contains("hf download distilbert/distilbert-base-uncased --revision \(commit)") == true)

    // The vocabulary alone is enough for random weights: the architecture is known.
    try folder.write(snapshot + "vocab.txt", "x")
    let bare = try registry.resolve(name, environment: environment, loadWeights: false)
    #expect(bare.configuration.parameterCount == 66_985_530 && bare.weightsDirectory == nil)
    #expect(throws: HubError.self) { try registry.resolve(name, environment: environment) }
    #expect(registry[name].map { registry.isAvailable($0, environment: environment) } == false)

    try folder.write(snapshot + "config.json", FileMapping.contents(of: golden + "/config.json"))
    try folder.write(snapshot + "model.safetensors", "x")
    let found = try registry.resolve(name, environment: environment)
    #expect(found.weightsDirectory == folder.path + "/" + snapshot.dropLast())
    #expect(found.isLowercase == true && found.displayName == name)
    #expect(registry[name].map { registry.isAvailable($0, environment: environment) } == true)

    // The same by address, and by the old name of the repository.
    for address in ["hf://distilbert/distilbert-base-uncased@" + commit, "hf://distilbert-base-uncased@" + commit] {
      #expect(try registry.resolve(address, environment: environment).weightsDirectory == found.weightsDirectory)
    }
    // No branch is known: the revision that is there is named.
    let main = #expect(throws: HubError.self) {
      try registry.resolve("hf://distilbert/distilbert-base-uncased", environment: environment)
    }
    #expect(main?.hint?.contains("@" + commit) == true)
  }

  @Test func presetUnderTheOldNameOfItsRepository() throws {
    try folder.write("models--distilbert-base-uncased/snapshots/\(commit)/tokenizer.json", "{}")
    #expect(throws: Never.self) { try registry.resolve(name, environment: environment, loadWeights: false) }
  }

  @Test func unknownNames() throws {
    func hint(_ name: String) -> String? {
      (#expect(throws: HubError.self) { try registry.resolve(name, environment: environment) })?.hint
    }
    #expect(hint("distil_bert_base_en_uncase")?.hasPrefix("did you mean 'distil_bert_base_en_uncased'?") == true)
    #expect(
      hint("distilbert/distilbert-base-uncased")
        == "a repository of the hub is written hf://distilbert/distilbert-base-uncased")
    #expect(hint("qwertyuiop")?.contains("distil_bert_tiny_en_uncased") == true)
    #expect(hint("")?.isEmpty == false)
    #expect(throws: HubError.malformedAddress(text: "hf://a/b/c")) {
      try registry.resolve("hf://a/b/c", environment: environment)
    }
  }

  @Test func editDistance() {
    #expect(EditDistance.distance(Array("kitten".utf8), Array("sitting".utf8)) == 3)
    #expect(EditDistance.distance([], Array("abc".utf8)) == 3)
  }
}
