import Foundation
import Testing

@testable import Model

@Suite struct PresetTests {
  @Test func registry() throws {
    let registry = try PresetRegistry.builtIn()
    #expect(
      registry.presets.map(\.name) == [
        "distil_bert_base_en_uncased", "distil_bert_base_en", "distil_bert_base_multi", "distil_bert_tiny_en_uncased",
      ])
    for preset in registry.presets {
      if preset.address != nil {
        // The figures of the registry are those of the architecture.
        let configuration = Configuration(vocabularySize: preset.vocabularySize)
        #expect(preset.parameterCount == configuration.parameterCount)
        #expect(preset.backboneParameterCount == configuration.backboneParameterCount)
        #expect(preset.downloadSize > 263_000_000)
        #expect(preset.files.allSatisfy { $0.sha256 == nil || $0.sha256?.utf8.count == 64 })
        #expect(!preset.aliases.isEmpty)
      }
    }
    #expect(registry["distil_bert_base_en_uncased"]?.files.count == 5)
    #expect(registry["no"] == nil)
  }

  @Test func tinyPreset() throws {
    let tiny = try #require(try PresetRegistry.builtIn()["distil_bert_tiny_en_uncased"])
    let (configuration, vocabulary) = try #require(tiny.embedded)
    #expect(configuration.numLayers == 2 && configuration.hiddenDim == 128 && configuration.numHeads == 2)
    #expect(configuration.intermediateDim == 512 && configuration.maxSequenceLength == 256)
    #expect(configuration.vocabularySize == PresetRegistry.lineCount(vocabulary))
    // What the file says is what ships.
    let json = try JSONValue.parse(PackageResources.presets_json)
    #expect(json["presets"]?.array?.last?["config"]?["vocab_size"]?.int == configuration.vocabularySize)
    #expect(tiny.parameterCount == configuration.parameterCount)
  }

  @Test func lineCount() {
    #expect(PresetRegistry.lineCount([]) == 0)
    #expect(PresetRegistry.lineCount(Array("a\nb".utf8)) == 2)
    #expect(PresetRegistry.lineCount(Array("a\nb\n".utf8)) == 2)
  }

  @Test(arguments: [
    "{}", #"{"presets": [{}]}"#, #"{"presets": [{"name": "a"}]}"#,
    #"{"presets": [{"name": "a", "description": "", "languages": [], "case": "upper"}]}"#,
    #"{"presets": [{"name": "a", "description": "", "languages": [], "case": "kept"}]}"#,
    #"{"presets": [{"name": "a", "description": "", "languages": [], "case": "kept", "repository": "../x", "revision": "y"}]}"#,
    #"{"presets": [{"name": "a", "description": "", "languages": [], "case": "kept", "config": {}, "vocabulary": "none"}]}"#,
  ])
  func malformedRegistry(_ text: String) {
    #expect(throws: HubError.self) { try PresetRegistry(json: JSONValue.parse(Array(text.utf8)), vocabularies: [:]) }
  }
}
