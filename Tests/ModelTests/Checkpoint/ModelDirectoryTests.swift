import Foundation
import Testing

@testable import Model

private let golden = Golden.url("checkpoint/micro").path

@Suite struct ModelDirectoryTests {
  @Test func opens() throws {
    let model = try ModelDirectory.open(golden)
    #expect(model.configuration.numLayers == 3 && model.configuration.vocabularySize == 256)
    #expect(model.weights?.tensors.count == 57)
    #expect(model.weights?.missing.isEmpty == true && model.hasHead)
    #expect(model.notes.isEmpty)
    #expect(try !ModelDirectory.open(golden, loadWeights: false).hasHead)
    #expect(try ModelDirectory.open(golden, loadWeights: false).weights == nil)
    #expect(ModelDirectory.isModelDirectory(golden))
  }

  /// The parameters of micro in other layouts are those of micro, up to the rounding of 16 bits.
  @Test(
    arguments: [
      ("with_projector_weight", 0), ("sharded", 0), ("float16", 0x1p-11), ("bfloat16", 0x1p-8), ("backbone_only", 0),
    ] as [(String, Float)])
  func variants(_ name: String, tolerance: Float) throws {
    let micro = try #require(try ModelDirectory.open(golden).weights)
    let model = try ModelDirectory.open(try #require(Reference.url("micro_variants/" + name)).path)
    let weights = try #require(model.weights)
    #expect(weights.missing.count == (name == "backbone_only" ? 5 : 0))
    #expect(model.hasHead == (name != "backbone_only"))
    #expect(model.notes.isEmpty)
    for (specification, (a, b)) in zip(micro.specifications, zip(micro.tensors, weights.tensors)) {
      guard let a = try a?.floats(), let b = try b?.floats() else { continue }
      #expect(
        zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * abs($0) + (tolerance > 0 ? 1e-7 : 0) },
        "\(specification.name)")
    }
  }

  @Test func trainedModel() throws {
    let model = try ModelDirectory.open(try #require(Reference.trainedModel).path)
    #expect(model.notes.isEmpty && model.hasHead)
    #expect(model.weights?.tensors.allSatisfy { ($0?.float32InPlace != nil) == ($0?.type == .float32) } == true)
  }

  // What is wrong with a directory, one by one.

  private func folder(config: Bool = true) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    if config { try folder.write("config.json", FileMapping.contents(of: golden + "/config.json")) }
    return folder
  }

  @Test func missingOrNoDirectory() throws {
    #expect(throws: FileError.missing(path: "/no")) { try ModelDirectory.open("/no") }
    #expect(throws: FileError.notDirectory(path: golden + "/config.json")) {
      try ModelDirectory.open(golden + "/config.json")
    }
    let empty = try folder(config: false)
    #expect(throws: CheckpointError.notAModelDirectory(path: empty.path, lookedFor: "there is no config.json in it")) {
      try ModelDirectory.open(empty.path)
    }
    #expect(!ModelDirectory.isModelDirectory(empty.path))
  }

  /// What is written is never KerasHub's: such a directory is not replaced.
  @Test func kerasHubDirectory() throws {
    let keras = Golden.url("keras/masked_lm").path
    #expect(!ModelDirectory.isModelDirectory(keras))
    let model = try ModelDirectory.open(keras, loadWeights: false)
    #expect(model.format == .kerasHub && model.weights == nil && !model.hasHead && model.notes.isEmpty)
    #expect(try ModelDirectory.open(golden).format == .huggingFace)
    #expect(throws: CheckpointError.outputExists(path: keras, canOverwrite: false)) {
      try ModelDirectory.checkWritable(keras, overwrite: false)
    }
    #expect(throws: CheckpointError.outputIsNoModelDirectory(path: keras)) {
      try ModelDirectory.checkWritable(keras, overwrite: true)
    }
  }

  @Test func noWeights() throws {
    let folder = try folder()
    #expect(throws: CheckpointError.noWeights(path: folder.path)) { try ModelDirectory.open(folder.path) }
    try folder.write("pytorch_model.bin", [0x80])
    #expect(throws: CheckpointError.onlyOtherWeights(path: folder.path, found: "pytorch_model.bin")) {
      try ModelDirectory.open(folder.path)
    }
    #expect(throws: Never.self) { try ModelDirectory.open(folder.path, loadWeights: false) }
  }

  @Test(arguments: [
    "[]", "{}", #"{"weight_map": []}"#, #"{"weight_map": {"a": 1}}"#, #"{"weight_map": {"a": "../f"}}"#,
    #"{"weight_map": {"a": ""}}"#, #"{"weight_map": {"a": ".."}}"#, #"{"weight_map": {"a": "/etc/passwd"}}"#,
  ])
  func malformedIndex(_ index: String) throws {
    let folder = try folder()
    try folder.write("model.safetensors.index.json", index)
    let error = #expect(throws: CheckpointError.self) { try ModelDirectory.open(folder.path) }
    guard case .malformedIndex = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func indexAndShardsThatDoNotFit() throws {
    let folder = try folder()
    let index = try folder.write("model.safetensors.index.json", #"{"weight_map": {"a": "b.safetensors"}}"#)
    let shard = folder.path + "/b.safetensors"
    #expect(throws: CheckpointError.missingShard(index: index, shard: shard)) { try ModelDirectory.open(folder.path) }
    try SafetensorsWriter.write([], to: shard)
    #expect(throws: CheckpointError.malformedIndex(file: index, what: "'a' is not in b.safetensors")) {
      try ModelDirectory.open(folder.path)
    }
    try folder.write("model.safetensors.index.json", "{")
    #expect(throws: JSONError.self) { try ModelDirectory.open(folder.path) }
  }
}
