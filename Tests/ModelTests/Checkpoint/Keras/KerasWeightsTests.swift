import Foundation
import TestSupport
import Testing

@testable import Model
@testable import Tensor

/// Presets written by KerasHub, compared with KerasHub's results.
@Suite struct KerasWeightsTests {
  #if KerasWeights
    @Test(arguments: ["masked_lm", "float16", "older", "sharded", "bfloat16", "untied"])
    func forward(_ name: String) throws {
      let golden = try KerasPreset.golden()
      let expected =
        switch name {
        case "bfloat16": golden.bfloat16
        case "untied": try KerasPreset.untied()
        default: golden.masked_lm
        }
      let model = try ModelDirectory.open(KerasPreset.path(name))
      let weights = try #require(model.weights)
      #expect(model.hasHead == ["masked_lm", "float16", "untied"].contains(name))
      #expect(model.configuration.tiesWeights == (name != "untied"))
      #expect(model.notes.isEmpty)
      let network = try Network(model.configuration, weights, seed: 0, on: .serial)
      let samples = zip(golden.tokens, golden.masks).map { tokens, masks in
        Sample(tokenIDs: tokens.filter { $0 != 0 }, maskPositions: masks)
      }
      let context = Context(pool: .serial)
      let batch = Batch(samples, alignment: 1)
      let hidden = network.backbone.predict(batch, allRows: true, context)
      for (index, sample) in samples.enumerated() {
        for position in sample.tokenIDs.indices {
          let row = hidden[batch.tokens.starts[index] + position]
          let mine = (0..<hidden.columns).map { row[$0] }
          #expect(largestDifference(mine, expected.hidden[index][position]) < 2e-5)
        }
      }
      guard model.hasHead else { return }
      let logits = try #require(expected.logits)
      network.forEachLogits(batch, context) { rows, values in
        for index in samples.indices {
          for slot in batch.masks.range(index).clamped(to: rows) {
            let row = values[slot - rows.lowerBound]
            let mine = (0..<values.columns).map { row[$0] }
            #expect(largestDifference(mine, logits[index][slot - batch.masks.starts[index]]) < 2e-5)
          }
        }
      }
    }

    /// Without its task, the directory is what a backbone saves.
    @Test func encoderAlone() throws {
      let folder = try KerasPreset.copy("masked_lm", without: ["task.json", "task.weights.h5", "preprocessor.json"])
      let model = try ModelDirectory.open(folder.path)
      #expect(!model.hasHead && model.weights?.missing.count == 5)
      #expect(model.notes.isEmpty)
    }

    /// Shards that an index names but that are not needed may be missing.
    @Test func anIndexThatNamesAFileNobodyNeeds() throws {
      let folder = try KerasPreset.copy("sharded")
      try folder.replace(
        "\"weight_map\": {", by: "\"weight_map\" : {\"/other\": \"gone.weights.h5\", ", in: "model.weights.json")
      #expect(try ModelDirectory.open(folder.path).weights?.missing.count == 5)
    }

    @Test func headInParts() throws {
      let folder = try KerasPreset.copy("masked_lm")
      try folder.replace("_intermediate_layer_norm", by: "_intermediate_layer_norn", in: "task.weights.h5")
      let model = try ModelDirectory.open(folder.path)
      #expect(model.weights?.missing.map(\.name) == ["vocab_layer_norm.weight", "vocab_layer_norm.bias"])
      #expect(!model.hasHead)
      #expect(
        model.notes == [
          "\(folder.path)/task.weights.h5: missing tensors are newly initialized: "
            + "layers/masked_lm_head/_intermediate_layer_norm/vars/0, "
            + "layers/masked_lm_head/_intermediate_layer_norm/vars/1"
        ])
    }

    /// Embeddings are used directly from the mapped file.
    @Test func inPlace() throws {
      let weights = try #require(try ModelDirectory.open(KerasPreset.path("masked_lm")).weights)
      #expect(weights[ParameterTable.wordEmbeddings]?.float32InPlace != nil)
    }

    /// A model converted from KerasHub gives the same numbers, and splits texts the same way.
    @Test func comesBackFromADirectoryOfOurs() throws {
      let folder = try TemporaryFolder()
      let keras = try DistilBertMaskedLM.fromPreset(KerasPreset.path("masked_lm"), threads: 1)
      try keras.save(to: folder.path + "/model")
      let ours = try DistilBertMaskedLM.fromPreset(folder.path + "/model", threads: 1)
      #expect(ours.configuration.headLayerNormEpsilon == 1e-5 && ours.notes.isEmpty)
      let golden = try KerasPreset.golden()
      let samples = zip(golden.tokens, golden.masks).map { tokens, masks in
        Sample(tokenIDs: tokens.filter { $0 != 0 }, maskPositions: masks)
      }
      #expect(try ours.rank(samples) == keras.rank(samples))
      let (a, b) = (try #require(keras.preprocessor?.tokenizer), try #require(ours.preprocessor?.tokenizer))
      #expect(a.options == b.options)
      for text in golden.texts[0].texts { #expect(a.encode(text) == b.encode(text)) }
    }

    // Errors in a directory, one by one.

    private func failure(_ folder: TemporaryFolder) -> CheckpointError? {
      do {
        _ = try ModelDirectory.open(folder.path)
        return nil
      } catch { return error as? CheckpointError }
    }

    /// The error names each size of config.json that the weights contradict.
    @Test(
      arguments: [
        ("vocabulary_size", 54, 55, "layers/token_and_position_embedding/token_embedding/vars/0", [54, 12], [55, 12]),
        (
          "max_sequence_length", 16, 8, "layers/token_and_position_embedding/position_embedding/vars/0", [16, 12],
          [8, 12]
        ),
        ("hidden_dim", 12, 14, "layers/token_and_position_embedding/token_embedding/vars/0", [54, 12], [54, 14]),
        (
          "num_heads", 2, 3, "layers/transformer_encoder/_self_attention_layer/query_dense/vars/0", [12, 2, 6],
          [12, 3, 4]
        ),
        (
          "intermediate_dim", 20, 24, "layers/transformer_encoder/_feedforward_intermediate_dense/vars/0", [12, 20],
          [12, 24]
        ),
      ] as [(String, Int, Int, String, [Int], [Int])])
    func shapes(
      _ key: String, _ old: Int, _ new: Int, _ variable: String, _ found: [Int], _ expected: [Int]
    ) throws {
      let folder = try KerasPreset.copy("masked_lm")
      try folder.replace("\"\(key)\": \(old)", by: "\"\(key)\": \(new)", in: "config.json")
      #expect(
        failure(folder)
          == .wrongShape(
            file: folder.path + "/model.weights.h5", tensor: variable, found: found, expected: expected,
            hint: "config.json says \(key) \(new)"))
    }

    @Test func missingVariables() throws {
      let folder = try KerasPreset.copy("masked_lm")
      try folder.replace("\"num_layers\": 2", by: "\"num_layers\": 3", in: "config.json")
      #expect(
        failure(folder)
          == .missingTensors(
            file: folder.path + "/model.weights.h5",
            first: "layers/transformer_encoder_2/_self_attention_layer/query_dense/vars/0", count: 16, inHead: false))
    }

    @Test func shards() throws {
      let folder = try KerasPreset.copy("sharded", without: ["model_00001.weights.h5"])
      let (index, shard) = (folder.path + "/model.weights.json", folder.path + "/model_00001.weights.h5")
      #expect(failure(folder) == .missingShard(index: index, shard: shard))
      try folder.write("model.weights.json", #"{"weight_map": {"/layers/a/vars": ["../model.weights.h5"]}}"#)
      #expect(
        failure(folder)
          == .malformedIndex(file: index, what: "'../model.weights.h5' is not the name of a file next to it"))
      try folder.write("model.weights.json", #"{"weight_map": {"/layers/a/vars": [1]}}"#)
      #expect(failure(folder) == .malformedIndex(file: index, what: "the file of '/layers/a/vars' is a number"))
      try folder.write("model.weights.json", #"{"weights": {}}"#)
      #expect(failure(folder) == .malformedIndex(file: index, what: "missing object 'weight_map'"))
      try folder.write("model.weights.json", #"{"weight_map": {"/layers/a/vars": "model_00000.weights.h5"}}"#)
      guard case .missingTensors(index, _, _, false, _, _) = failure(folder) else {
        Issue.record("\(String(describing: failure(folder)))")
        return
      }
    }
  #else
    /// Without the trait, the error says how to build with it. The architecture and the vocabulary need no HDF5.
    @Test func notInThisBuild() throws {
      let keras = KerasPreset.path("masked_lm")
      let error = #expect(throws: CheckpointError.self) { try ModelDirectory.open(keras) }
      #expect(error == .kerasWeightsNotBuilt(file: keras + "/model.weights.h5"))
      #expect(error?.hint?.contains("--traits KerasWeights") == true)
      #expect(error?.hint?.contains("libhdf5-dev") == true)
      let model = try DistilBertMaskedLM.fromPreset(keras, loadWeights: false, threads: 1)
      #expect(model.configuration.headLayerNormEpsilon == 1e-5)
      #expect(model.preprocessor?.tokenizer.options.stripAccents == false)
    }
  #endif

  @Test func noWeights() throws {
    let folder = try KerasPreset.copy("masked_lm", without: ["model.weights.h5"])
    #expect(throws: CheckpointError.noKerasWeights(path: folder.path)) { try ModelDirectory.open(folder.path) }
    #expect(throws: Never.self) { try ModelDirectory.open(folder.path, loadWeights: false) }
  }
}
