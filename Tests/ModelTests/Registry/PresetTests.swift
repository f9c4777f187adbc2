import Foundation
import Testing

@testable import Hub
@testable import Model

@Suite struct PresetTests {
  @Test func registry() throws {
    let registry = try PresetRegistry.builtIn()
    #expect(
      registry.presets.map(\.name) == [
        "distil_bert_base_en_uncased", "distil_bert_base_en", "distil_bert_base_multi", "distil_bert_tiny_en_uncased",
      ])
    for preset in registry.presets {
      if let address = preset.address {
        // The numbers in the registry match the architecture.
        let configuration = try #require(preset.configuration)
        #expect(preset.parameterCount == configuration.parameterCount)
        #expect(preset.backboneParameterCount == configuration.backboneParameterCount)
        #expect(preset.size ?? 0 > 263_000_000 && preset.isLowercase != nil && !preset.description.isEmpty)
        #expect(preset.files.allSatisfy { $0.sha256 == nil || $0.sha256?.utf8.count == 64 })
        #expect(
          preset.files.filter { !$0.isOptional }.map(\.name) == ["config.json", "model.safetensors", "vocab.txt"])
        #expect(!preset.aliases.isEmpty && address.isCommit)
      }
    }
    #expect(
      registry.presets.map(\.backboneParameterCount).prefix(3) == [66_362_880, 65_190_912, 134_734_080])
    #expect(registry["distil_bert_base_en_uncased"]?.files.count == 5)
    #expect(registry["no"] == nil)
  }

  @Test func tinyPreset() throws {
    let tiny = try #require(try PresetRegistry.builtIn()["distil_bert_tiny_en_uncased"])
    let embedded = try #require(tiny.embedded)
    let configuration = try #require(tiny.configuration)
    #expect(configuration.numLayers == 4 && configuration.hiddenDim == 256 && configuration.numHeads == 4)
    #expect(configuration.intermediateDim == 1024 && configuration.maxSequenceLength == 256)
    #expect(tiny.parameterCount == configuration.parameterCount)
    // Vocabulary, weights and configuration belong to one model.
    let tokenizer = try embedded.loadTokenizer(lowercase: true)
    #expect(tokenizer.vocabulary.count == configuration.vocabularySize && tokenizer.specialTokens.mask == 103)
    let weights = try embedded.loadWeights(configuration)
    #expect(weights.hasHead && weights.notes.isEmpty && weights.missing.isEmpty)
    // The embedded data is small and page-aligned: it is mapped with the program.
    #expect(embedded.weights.bytes.count < 12_000_000)
    #expect(embedded.weights.bytes.baseAddress.map { UInt(bitPattern: $0) % 4096 } == 0)
  }

  /// The published figures can be checked with the vocabulary that they name.
  @Test func publishedValues() throws {
    let values = try #require(try PresetRegistry.builtIn()["distil_bert_base_en_uncased"]).published
    #expect(values.count == 6)
    guard case .predictions(let predictions, nil) = values[0].expectation else {
      Issue.record("no predictions")
      return
    }
    #expect(predictions.map(\.id) == [2535, 4827, 2449, 2944, 11643] && values[0].tolerance == 1e-5)
    guard case .hiddenStates(let rows, 1, 1) = values[1].expectation else {
      Issue.record("no hidden states")
      return
    }
    #expect(rows.map(\.count) == [3, 3, 3] && rows[2][2] == 0.1810 && values[1].tolerance == 1e-4)
    let file = try #require(Reference.url("vocab/bert_base_uncased.txt"))
    let vocabulary = try Vocabulary(vocabTXT: Array(Data(contentsOf: file)), file: "vocab.txt")
    for case .predictions(let predictions, _) in values.map(\.expectation) {
      for prediction in predictions { #expect(vocabulary.piece(prediction.id) == prediction.token) }
    }
    for case .tokens(let ids, _) in values.filter({ $0.about != nil }).map(\.input) {
      #expect(
        ids.map { vocabulary.piece($0) }.joined(separator: " ")
          == "[CLS] looks like one [MASK] is missing [SEP] [PAD] [PAD]")
    }
  }
}
