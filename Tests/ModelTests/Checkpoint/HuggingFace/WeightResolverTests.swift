import Foundation
import TestSupport
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
  small.parameterTable.rows.enumerated().map { Entry(name: $1.name, shape: $1.shape, fill: Float($0)) }
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
    #expect(Configuration().parameterTable.rows.count == 105)
    #expect(Set(Configuration().parameterTable.rows.map(\.name)).count == 105)
    #expect(
      Configuration().parameterTable.rows.filter { !$0.isBackbone }.map(\.name) == [
        "vocab_transform.weight", "vocab_transform.bias", "vocab_layer_norm.weight", "vocab_layer_norm.bias",
        "vocab_projector.bias",
      ])
    for tensor in Configuration().parameterTable.rows {
      let isNorm = tensor.name.contains("LayerNorm") || tensor.name.contains("layer_norm")
      #expect(tensor.specification.decays == !(isNorm || tensor.name.hasSuffix(".bias")), "\(tensor.name)")
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
        "f: ignored weights of another head: classifier.bias, pre_classifier.weight, qa_outputs.bias",
        "f: ignored unknown tensors: odd",
      ])
  }

  @Test func missingHead() throws {
    let found = try resolve(entries().filter { $0.name.hasPrefix("distilbert.") })
    #expect(found.missing.count == 5 && !found.hasHead)
    #expect(found.notes.isEmpty)  // `hasHead` reports it, and the loader of the model warns
    let partly = try resolve(entries().filter { $0.name != "vocab_layer_norm.bias" })
    #expect(partly.missing.map(\.name) == ["vocab_layer_norm.bias"] && !partly.hasHead)
    #expect(partly.notes == ["f: missing tensors are newly initialized: vocab_layer_norm.bias"])
  }

  @Test func aMissingBiasOfTheScoresIsZero() throws {
    let found = try resolve(entries().filter { $0.name != "vocab_projector.bias" })
    #expect(found.missing.map(\.name) == ["vocab_projector.bias"] && found.hasHead)
    #expect(found.notes == ["f: missing 'vocab_projector.bias' is set to zero"])
    let network = try Network(small, found, seed: 3, on: .serial)
    #expect(network.hasTrainedHead && network.parameters["vocab_projector.bias"]?.matrix.array == [0, 0, 0])
  }

  @Test func missingEncoderTensorsAreAnErrorThatNamesThoseThatAreThere() throws {
    let error = #expect(throws: CheckpointError.self) {
      try resolve(entries().filter { !$0.name.hasSuffix("q_lin.bias") && !$0.name.hasSuffix("k_lin.bias") })
    }
    #expect(
      error?.message == "f: missing 2 tensors of the encoder, the first is "
        + "'distilbert.transformer.layer.0.attention.q_lin.bias'; it has 'distilbert.embeddings.LayerNorm.bias', "
        + "'distilbert.embeddings.LayerNorm.weight', 'distilbert.embeddings.position_embeddings.weight' and 20 more")
    let foreign = #expect(throws: CheckpointError.self) {
      try resolve([Entry(name: "wte.weight", shape: [3, 2]), Entry(name: "h.0.ln_1.bias", shape: [2])])
    }
    #expect(foreign?.message.hasSuffix("; it has 'h.0.ln_1.bias', 'wte.weight'") == true)
    var deeper = small
    deeper.numLayers = 3
    let layers = #expect(throws: CheckpointError.self) { try resolve(entries(), deeper) }
    #expect(
      layers?.hint == "config.json says n_layers 3, but the weights have 1"
        && layers?.message.contains("it has") == false)
  }

  // MARK: Prefixes

  @Test(arguments: [
    "_orig_mod.", "module.", "model.", "module._orig_mod.", "a.b.c.d.e.f.g.h.", "transformer.", "embeddings.",
  ])
  func onePrefixIsTakenOff(_ prefix: String) throws {
    for strip in ["", "distilbert."] {
      let found = try resolve(
        renamed(entries()) { prefix + ($0.hasPrefix(strip) ? String($0.dropFirst(strip.utf8.count)) : $0) })
      #expect(found.missing.isEmpty && found.hasHead)
      #expect(found.notes.count == 1 && found.notes[0].contains("removed a prefix"), "\(found.notes)")
      #expect(found.notes[0].contains("'\(prefix)"), "\(found.notes)")
      for (index, tensor) in found.tensors.enumerated() { #expect(try tensor?.floats().first == Float(index)) }
    }
  }

  /// The encoder, or a layer, was compiled separately.
  @Test(arguments: ["distilbert.", "distilbert.transformer.layer.0.", "vocab_transform."])
  func wrappersWithinNames(_ outer: String) throws {
    let found = try resolve(
      renamed(entries()) { $0.hasPrefix(outer) ? outer + "_orig_mod." + $0.dropFirst(outer.utf8.count) : $0 })
    #expect(found.missing.isEmpty && found.notes.count == 1)
    for (index, tensor) in found.tensors.enumerated() { #expect(try tensor?.floats().first == Float(index)) }
  }

  @Test func aPrefixedCopyBesideThePlainOneIsNotUsed() throws {
    let copy = renamed(entries()) { "module." + $0 }.map { Entry(name: $0.name, shape: $0.shape, fill: 99) }
    let found = try resolve(copy + entries())
    for (index, tensor) in found.tensors.enumerated() { #expect(try tensor?.floats().first == Float(index)) }
    #expect(found.notes.count == 1 && found.notes[0].hasPrefix("f: ignored unknown tensors: module."))
  }

  @Test func twoPrefixedModelsAreRefusedByTheirNames() throws {
    let error = #expect(throws: CheckpointError.self) {
      try resolve(renamed(entries()) { "student." + $0 } + renamed(entries()) { "teacher." + $0 })
    }
    #expect(error?.message.contains("; it has 'student.distilbert.embeddings.LayerNorm.bias', ") == true)
  }

  @Test func aPrefixBesideOtherTensors() throws {
    let found = try resolve(renamed(entries()) { "model." + $0 } + [Entry(name: "loss.weight", shape: [2])])
    #expect(found.missing.isEmpty)
    #expect(found.notes.last == "f: ignored unknown tensors: loss.weight")
  }

  @Test func namesOfManyComponents() throws {
    let long = String(repeating: "a.", count: 200_000)
    let found = try resolve(renamed(entries()) { long + $0 })
    #expect(found.missing.isEmpty)
  }

  // MARK: The output matrix

  private static let projector = Entry(name: "vocab_projector.weight", shape: [3, 2], fill: 7)

  @Test func projectorEqualToTheEmbedding() throws {
    for entry in [
      Entry(name: "vocab_projector.weight", shape: [3, 2], fill: 0),
      // The same number.
      Entry(name: "vocab_projector.weight", shape: [3, 2], fill: -0.0),
      // In another type.
      Entry(name: "vocab_projector.weight", shape: [3, 2], type: .float64, fill: 0),
    ] {
      let found = try resolve(entries() + [entry])
      #expect(found.notes.isEmpty && found.configuration.tiesWeights && found["vocab_projector.weight"] == nil)
    }
  }

  @Test func projectorThatDiffersIsAnOutputMatrixOfItsOwn() throws {
    let found = try resolve(entries() + [Self.projector])
    #expect(!found.configuration.tiesWeights && found.hasHead && found.missing.isEmpty)
    #expect(try found["vocab_projector.weight"]?.floats() == [7, 7, 7, 7, 7, 7])
    #expect(try found[ParameterTable.wordEmbeddings]?.floats().first == 0)
    #expect(
      found.notes == [
        "f: 'vocab_projector.weight' differs from the word embedding and is used as a separate output matrix"
      ])
    let prefixed = try resolve(renamed(entries() + [Self.projector]) { "module." + $0 })
    #expect(!prefixed.configuration.tiesWeights && prefixed.missing.isEmpty)
  }

  /// If config.json says that the matrices differ, they do, equal or not.
  @Test(arguments: [0, 7] as [Float]) func untiedByTheConfiguration(_ fill: Float) throws {
    var untied = small
    untied.tiesWeights = false
    let found = try resolve(entries() + [Entry(name: "vocab_projector.weight", shape: [3, 2], fill: fill)], untied)
    #expect(!found.configuration.tiesWeights && found.hasHead && found.notes.isEmpty)
    #expect(try found["vocab_projector.weight"]?.floats().first == fill)
  }

  /// transformers then starts with random numbers: a head that was never trained.
  @Test func untiedByTheConfigurationAndMissing() throws {
    var untied = small
    untied.tiesWeights = false
    let found = try resolve(entries(), untied)
    #expect(found.missing.map(\.name) == ["vocab_projector.weight"] && !found.hasHead)
    #expect(found.notes.count == 2 && found.notes[1].contains("tie_word_embeddings"))
    #expect(try !Network(untied, found, seed: 0, on: .serial).hasTrainedHead)
    #expect(throws: CheckpointError.self) {
      try resolve(renamed(entries()) { $0 == ParameterTable.wordEmbeddings ? ParameterTable.projector : $0 }, untied)
    }
  }

  /// An old bug of resizing: the word embedding grew, but tensors that depend on its size did not.
  @Test(arguments: ["vocab_projector.bias", "vocab_projector.weight"]) func notResizedWithTheVocabulary(_ name: String)
    throws
  {
    let entry = Entry(name: name, shape: name.hasSuffix("bias") ? [2] : [2, 2])
    let error = #expect(throws: CheckpointError.self) { try resolve(entries().filter { $0.name != name } + [entry]) }
    #expect(error?.message.contains("'\(name)' has ") == true)
    #expect(
      error?.hint
        == "the word embedding has 3 rows, as in config.json: it was resized, but '\(name)' was not; "
        + "pad it with zeros to 3")
  }

  @Test func embeddingUnderTheNameOfTheProjectorOnly() throws {
    let found = try resolve(renamed(entries()) { $0 == ParameterTable.wordEmbeddings ? ParameterTable.projector : $0 })
    #expect(try found[ParameterTable.wordEmbeddings]?.floats().first == 0)
    #expect(found.missing.isEmpty)
  }

  @Test func aliasesInMetadata() throws {
    let found = try resolve(
      renamed(entries()) { $0 == ParameterTable.wordEmbeddings ? "shared.table" : $0 },
      metadata: [(ParameterTable.wordEmbeddings, "shared.table"), ("vocab_projector.weight", "shared.table")])
    #expect(found[ParameterTable.wordEmbeddings]?.shape == [3, 2])
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
    #expect(error?.hint == "config.json says vocab_size 4, but the weights have a vocabulary of 3")

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
