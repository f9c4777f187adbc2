import Foundation
import TestSupport
import Testing

@testable import Files
@testable import Model
@testable import Text

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

  /// The parameters of micro in other layouts equal those of micro, up to 16-bit rounding.
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
    for (row, (a, b)) in zip(micro.table.rows, zip(micro.tensors, weights.tensors)) {
      guard let a = try a?.floats(), let b = try b?.floats() else { continue }
      #expect(
        zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * abs($0) + (tolerance > 0 ? 1e-7 : 0) },
        "\(row.name)")
    }
  }

  @Test func trainedModel() throws {
    let model = try ModelDirectory.open(try #require(Reference.trainedModel).path)
    #expect(model.notes.isEmpty && model.hasHead)
    #expect(model.weights?.tensors.allSatisfy { ($0?.float32InPlace != nil) == ($0?.type == .float32) } == true)
  }

  // Errors in a directory, one by one.

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
    #expect(throws: CheckpointError.notAModelDirectory(path: empty.path, lookedFor: "it has no config.json")) {
      try ModelDirectory.open(empty.path)
    }
    #expect(!ModelDirectory.isModelDirectory(empty.path))
  }

  /// Written directories never have KerasHub's layout: such a directory is not replaced.
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
    "[]", "{}", #"{"weight_map": []}"#, #"{"weight_map": {"NAME": 1}}"#, #"{"weight_map": {"NAME": "../f"}}"#,
    #"{"weight_map": {"NAME": ""}}"#, #"{"weight_map": {"NAME": ".."}}"#, #"{"weight_map": {"NAME": "/etc/passwd"}}"#,
  ])
  func malformedIndex(_ index: String) throws {
    let folder = try folder()
    try folder.write(
      "model.safetensors.index.json", index.replacingOccurrences(of: "NAME", with: ParameterTable.wordEmbeddings))
    let error = #expect(throws: CheckpointError.self) { try ModelDirectory.open(folder.path) }
    guard case .malformedIndex = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func indexAndShardsThatDoNotFit() throws {
    let folder = try folder()
    let name = ParameterTable.wordEmbeddings
    let index = try folder.write("model.safetensors.index.json", #"{"weight_map": {"\#(name)": "b.safetensors"}}"#)
    let shard = folder.path + "/b.safetensors"
    #expect(throws: CheckpointError.missingShard(index: index, shard: shard)) { try ModelDirectory.open(folder.path) }
    try SafetensorsWriter.write([], to: shard)
    #expect(throws: CheckpointError.malformedIndex(file: index, what: "b.safetensors has no tensor '\(name)'")) {
      try ModelDirectory.open(folder.path)
    }
    try folder.write("model.safetensors.index.json", "{")
    #expect(throws: JSONError.self) { try ModelDirectory.open(folder.path) }
  }

  // MARK: Shards

  /// The golden model in two shards, and an index with more.
  private func sharded(more: String) throws -> TemporaryFolder {
    let folder = try folder()
    let tensors = try Safetensors(path: golden + "/model.safetensors").tensors
    var map: [String] = []
    for (number, part) in [tensors.prefix(20), tensors.dropFirst(20)].enumerated() {
      let name = "model-0000\(number + 1)-of-00002.safetensors"
      try SafetensorsWriter.write(
        part.map { TensorSource(name: $0.name, type: $0.type, shape: $0.shape, bytes: $0.bytes) },
        to: folder.path + "/" + name)
      map += part.map { #""\#($0.name)":"\#(name)""# }
    }
    try folder.write("model.safetensors.index.json", "{\"weight_map\":{\(map.joined(separator: ","))\(more)}}")
    return folder
  }

  @Test(arguments: [
    #","classifier.weight":"model-00001-of-00002.safetensors""#, #","classifier.weight":"gone.safetensors""#,
    #","classifier.weight":null"#,
  ])
  func anIndexThatNamesATensorNobodyNeeds(_ more: String) throws {
    let folder = try sharded(more: more)
    let model = try ModelDirectory.open(folder.path)
    #expect(model.hasHead && model.weights?.missing.isEmpty == true)
    #expect(
      model.notes == [
        "\(folder.path)/model.safetensors.index.json: ignored weights of another head: classifier.weight"
      ])
  }

  /// A tied output matrix and a buffer of old versions are recognized, and may be missing.
  @Test(arguments: ["vocab_projector.weight", "distilbert.embeddings.position_ids"])
  func anIndexThatNamesATensorThatIsNotWritten(_ name: String) throws {
    let folder = try sharded(more: #","\#(name)":"model-00001-of-00002.safetensors""#)
    let model = try ModelDirectory.open(folder.path)
    #expect(model.hasHead && model.notes.isEmpty)
  }

  @Test func anIndexThatNamesANeededTensorThatIsNotThere() throws {
    let folder = try sharded(more: "")
    let (index, name) = (folder.path + "/model.safetensors.index.json", "vocab_layer_norm.bias")
    let text = String(decoding: try FileMapping.contents(of: index), as: UTF8.self)
    #expect(text.contains(#""\#(name)":"model-0000"#))
    let moved = ["1", "2"].map {
      text.replacingOccurrences(
        of: #""\#(name)":"model-0000"# + $0, with: #""\#(name)":"model-0000"# + ($0 == "1" ? "2" : "1"))
    }
    try folder.write("model.safetensors.index.json", moved.first { $0 != text } ?? "")
    let error = #expect(throws: CheckpointError.self) { try ModelDirectory.open(folder.path) }
    #expect(error?.message.contains("malformed index: model-0000") == true)
  }

  // MARK: Other weights

  @Test(arguments: [
    (["model.fp16.safetensors", "pytorch_model.bin"], "model.fp16.safetensors", "rename it to model.safetensors"),
    (
      ["model.fp16-00001-of-00002.safetensors", "model.safetensors.index.fp16.json"],
      "model.safetensors.index.fp16.json", "rename it to model.safetensors.index.json"
    ),
    (["model.fp16-00001-of-00002.safetensors"], "model.fp16-00001-of-00002.safetensors", "download the other parts"),
    (
      ["model-00001-of-00002.safetensors"], "model-00001-of-00002.safetensors",
      "download the other parts and their index"
    ),
    (["adapter_model.safetensors"], "adapter_model.safetensors", "merge_and_unload"),
    (["weights.safetensors"], "weights.safetensors", "if it contains the model's weights, rename it"),
    (["pytorch_model.bin.index.json"], "pytorch_model.bin.index.json", "convert it to safetensors"),
    (["tf_model.h5"], "tf_model.h5", "save_pretrained"),
  ])
  func weightsUnderAnotherName(_ names: [String], _ found: String, _ hint: String) throws {
    let folder = try folder()
    for name in names { try folder.write(name, "x") }
    let error = #expect(throws: CheckpointError.onlyOtherWeights(path: folder.path, found: found)) {
      try ModelDirectory.open(folder.path)
    }
    #expect(error?.hint?.contains(hint) == true, "\(error?.hint ?? "")")
  }

  /// Trainer's output before its end, old sentence-transformers, and a repository in the hub's cache.
  @Test(arguments: [
    (["checkpoint-500", "checkpoint-1000", "runs"], ["checkpoint-1000", "checkpoint-500"]),
    (["0_Transformer", "1_Pooling"], ["0_Transformer"]), (["snapshots/0123", "blobs"], ["snapshots/0123"]),
    (["1_Pooling"], []),
  ])
  func modelsBelowADirectoryWithoutOne(_ folders: [String], _ models: [String]) throws {
    for config in [false, true] {
      let folder = try folder(config: config)
      for name in folders {
        try folder.write(name + "/other", "")
        guard models.contains(name) else { continue }
        for file in ["config.json", "model.safetensors"] {
          try folder.write("\(name)/\(file)", FileMapping.contents(of: golden + "/" + file))
        }
      }
      let inside = models.map { folder.path + "/" + $0 }
      let error = #expect(
        throws: config
          ? CheckpointError.noWeights(path: folder.path, inside: inside)
          : .notAModelDirectory(path: folder.path, lookedFor: "it has no config.json", inside: inside)
      ) { try ModelDirectory.open(folder.path) }
      let hint = error?.hint ?? ""
      #expect(
        models.isEmpty == !hint.contains("subdirectories contain ") && models.allSatisfy { hint.contains($0) },
        "\(hint)")
    }
  }
}
