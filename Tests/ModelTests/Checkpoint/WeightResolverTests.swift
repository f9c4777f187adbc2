import Foundation
import Testing

@testable import Model

/// A model small enough to spell out: 1 layer, 2 wide, 3 word pieces, 2 positions.
private let small = Configuration(
  vocabularySize: 3, hiddenDim: 2, numLayers: 1, numHeads: 1, intermediateDim: 4, maxSequenceLength: 2)

private struct Entry {
  var name: String
  var shape: [Int]
  var type = ElementType.float32
  var fill: Float = 0
}

private func entries() -> [Entry] {
  small.tensors.enumerated().map { Entry(name: $1.name, shape: $1.shape, fill: Float($0)) }
}

/// Writes the entries to a file and resolves it.
private func resolve(
  _ entries: [Entry], _ configuration: Configuration = small, metadata: [(key: String, value: String)] = []
) throws -> ResolvedWeights {
  let folder = try TemporaryFolder()
  let path = folder.path + "/f"
  var blocks: [UnsafeMutableRawBufferPointer] = []
  defer { for block in blocks { block.deallocate() } }
  let sources = entries.map { entry in
    let count = entry.shape.reduce(1, *)
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: count * entry.type.size, alignment: 8)
    if entry.type == .float32 {
      block.copyBytes(from: (0..<count).flatMap { _ in withUnsafeBytes(of: entry.fill) { Array($0) } })
    }
    if entry.type == .float64 {
      block.copyBytes(from: (0..<count).flatMap { _ in withUnsafeBytes(of: Double(entry.fill)) { Array($0) } })
    }
    blocks.append(block)
    return TensorSource(name: entry.name, type: entry.type, shape: entry.shape, bytes: UnsafeRawBufferPointer(block))
  }
  try SafetensorsWriter.write(sources, to: path, metadata: metadata)
  let file = try Safetensors(path: path)
  return try WeightResolver.resolve(configuration, file.tensors, aliases: file.metadata, file: "f")
}

private func renamed(_ entries: [Entry], _ rename: (String) -> String) -> [Entry] {
  entries.map { entry in
    var entry = entry
    entry.name = rename(entry.name)
    return entry
  }
}

@Suite struct WeightResolverTests {
  @Test func canonicalList() {
    #expect(Configuration().tensors.count == 105)
    #expect(Set(Configuration().tensors.map(\.name)).count == 105)
    #expect(
      Configuration().tensors.filter { !$0.isBackbone }.map(\.name) == [
        "vocab_transform.weight", "vocab_transform.bias", "vocab_layer_norm.weight", "vocab_layer_norm.bias",
        "vocab_projector.bias",
      ])
    for tensor in Configuration().tensors {
      let isNorm = tensor.name.contains("LayerNorm") || tensor.name.contains("layer_norm")
      #expect(tensor.decays == !(isNorm || tensor.name.hasSuffix(".bias")), "\(tensor.name)")
    }
  }

  @Test func plainNames() throws {
    let found = try resolve(entries())
    #expect(found.notes.isEmpty && found.missing.isEmpty)
    for (index, tensor) in found.tensors.enumerated() { #expect(try tensor?.floats().first == Float(index)) }
    #expect(found["vocab_projector.bias"]?.shape == [3])
    #expect(found["no"] == nil)
  }

  @Test func withoutPrefixAndWithOldNames() throws {
    let found = try resolve(
      renamed(entries()) { name in
        var name = name.hasPrefix("distilbert.") ? String(name.dropFirst(11)) : name
        if name.contains("LayerNorm") || name.contains("layer_norm") {
          if name.hasSuffix(".weight") { name = name.dropLast(6) + "gamma" }
          if name.hasSuffix(".bias") { name = name.dropLast(4) + "beta" }
        }
        return name
      } + [Entry(name: "embeddings.position_ids", shape: [1, 2], type: .int64)])
    #expect(found.notes.isEmpty && found.missing.isEmpty)
    for (index, tensor) in found.tensors.enumerated() { #expect(try tensor?.floats().first == Float(index)) }
  }

  @Test func otherHeadsAndUnknownTensorsAreNoted() throws {
    let found = try resolve(
      entries() + [
        Entry(name: "pre_classifier.weight", shape: [2, 2]), Entry(name: "classifier.bias", shape: [2]),
        Entry(name: "qa_outputs.bias", shape: [2]), Entry(name: "odd", shape: [1]),
      ])
    #expect(
      found.notes == [
        "f: the weights of another head are not used: classifier.bias, pre_classifier.weight, qa_outputs.bias",
        "f: tensors that are not known are not used: odd",
      ])
  }

  @Test func missingHead() throws {
    let found = try resolve(entries().filter { $0.name.hasPrefix("distilbert.") })
    #expect(found.missing.count == 5 && !found.hasHead)
    #expect(found.notes.isEmpty)  // `hasHead` says it, and whoever loads the model warns
    let partly = try resolve(entries().filter { $0.name != "vocab_projector.bias" })
    #expect(partly.missing.map(\.name) == ["vocab_projector.bias"] && !partly.hasHead)
    #expect(partly.notes == ["f: initialized anew, since missing: vocab_projector.bias"])
  }

  @Test func missingEncoderTensorsAreAnError() throws {
    #expect(
      throws: CheckpointError.missingTensors(
        file: "f", first: "distilbert.transformer.layer.0.attention.q_lin.bias", count: 2, inHead: false)
    ) { try resolve(entries().filter { !$0.name.hasSuffix("q_lin.bias") && !$0.name.hasSuffix("k_lin.bias") }) }
  }

  @Test func projectorEqualToTheEmbedding() throws {
    #expect(try resolve(entries() + [Entry(name: "vocab_projector.weight", shape: [3, 2], fill: 0)]).notes.isEmpty)
    // In another type.
    let wide = Entry(name: "vocab_projector.weight", shape: [3, 2], type: .float64, fill: 0)
    #expect(try resolve(entries() + [wide]).notes.isEmpty)
  }

  @Test func projectorThatDiffers() throws {
    let other = entries() + [Entry(name: "vocab_projector.weight", shape: [3, 2], fill: 7)]
    #expect(
      try resolve(other).notes.first?.contains("'vocab_projector.weight' differs from the word embedding") == true)
    var untied = small
    untied.tiesWeights = false
    #expect(throws: CheckpointError.untiedOutput(file: "f")) { try resolve(other, untied) }
    #expect(try resolve(entries(), untied).notes.count == 1)
    #expect(throws: CheckpointError.self) {
      try resolve(entries() + [Entry(name: "vocab_projector.weight", shape: [2, 2])])
    }
  }

  @Test func embeddingUnderTheNameOfTheProjectorOnly() throws {
    let found = try resolve(renamed(entries()) { $0 == WeightName.wordEmbeddings ? WeightName.projector : $0 })
    #expect(try found[WeightName.wordEmbeddings]?.floats().first == 0)
    #expect(found.missing.isEmpty)
  }

  @Test func aliasesInMetadata() throws {
    let found = try resolve(
      renamed(entries()) { $0 == WeightName.wordEmbeddings ? "shared.table" : $0 },
      metadata: [(WeightName.wordEmbeddings, "shared.table"), ("vocab_projector.weight", "shared.table")])
    #expect(found[WeightName.wordEmbeddings]?.shape == [3, 2])
  }

  @Test func ambiguousNames() throws {
    #expect(throws: CheckpointError.self) {
      try resolve(entries() + [Entry(name: "embeddings.LayerNorm.bias", shape: [2])])
    }
  }

  @Test func wrongShape() throws {
    var vocabulary = small
    vocabulary.vocabularySize = 4
    let error = #expect(throws: CheckpointError.self) { try resolve(entries(), vocabulary) }
    #expect(
      error?.message == "f: tensor 'distilbert.embeddings.word_embeddings.weight' has shape [3, 2], expected [4, 2]")
    #expect(error?.hint == "config.json says vocab_size 4, the weights are of a vocabulary of 3")

    let bias = entries().map { entry in
      var entry = entry
      if entry.name == "vocab_projector.bias" { entry.shape = [5] }
      return entry
    }
    #expect(
      (#expect(throws: CheckpointError.self) { try resolve(bias) })?.message
        == "f: tensor 'vocab_projector.bias' has 5 values, expected 3")
  }

  @Test func integersAreNoWeights() throws {
    let odd = entries().map { entry in
      var entry = entry
      if entry.name == "vocab_projector.bias" { entry.type = .int32 }
      return entry
    }
    #expect(throws: CheckpointError.notFloatingPoint(file: "f", tensor: "vocab_projector.bias", type: "I32")) {
      try resolve(odd)
    }
  }
}
