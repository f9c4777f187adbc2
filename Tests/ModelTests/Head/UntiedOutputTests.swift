import Foundation
import TestSupport
import Testing

@testable import Files
@testable import Model
@testable import Tensor
@testable import Text

/// A model whose output matrix is not its word embedding, compared with transformers and torch
/// (`Scripts/generate-untied-model`).
@Suite struct UntiedOutputTests {
  private static let folder = Golden.url("model/untied")
  private static let projector = "vocab_projector.weight"

  private func golden() throws -> (file: Safetensors, samples: [Sample]) {
    let file = try Safetensors(path: Self.folder.appendingPathComponent("golden.safetensors").path)
    return (file, try ReferenceModel.samples(file))
  }

  private func model(_ path: String = folder.path) throws -> DistilBertMaskedLM {
    try .fromPreset(path, threads: 2)
  }

  /// Returns the scores of every mask, concatenated.
  private func logits(_ model: DistilBertMaskedLM) throws -> [Float] {
    try model.collect(golden().samples, batchRows: nil) { scores, count in
      Array(UnsafeBufferPointer(start: scores, count: count))
    }.flatMap { $0.flatMap(\.self) }
  }

  @Test func scoresAreThoseOfTransformers() throws {
    let expected = try #require(golden().file["logits"]).floats()
    let model = try model()
    #expect(model.hasTrainedHead && model.notes.isEmpty && !model.configuration.tiesWeights)
    #expect(try largestDifference(logits(model), expected) < 2e-6)
    // A tied model gives different scores.
    let tied = try ReferenceModel.network(Self.folder)
    let (output, embedding) = (tied.head.output, try #require(tied.parameters[ParameterTable.wordEmbeddings]))
    #expect(output.name == Self.projector && largestDifference(output.matrix.array, embedding.matrix.array) > 0.1)
  }

  @Test(arguments: [1, 2]) func gradientsAreThoseOfTorch(threads: Int) throws {
    let (file, samples) = try golden()
    let network = try ReferenceModel.network(Self.folder)
    network.parameters.makeTrainable()
    let context = Context(pool: WorkerPool(threads: threads))
    let sums = network.addGradients(Batch(samples), lossFactor: 1, nil, context)
    #expect(abs(sums.loss - Double(try #require(file["loss"]).floats()[0])) < 1e-5)
    for parameter in network.parameters.parameters {
      let expected = try #require(file["gradient." + parameter.name]).floats()
      let mine = try #require(parameter.gradient).array
      let largest = expected.reduce(0) { max($0, $1.magnitude) }
      #expect(largestDifference(mine, expected) < 1e-5 * max(1, largest), "\(parameter.name)")
    }
  }

  // MARK: Files

  private func tensors(of folder: TemporaryFolder) throws -> Safetensors {
    try Safetensors(path: folder.path + "/model.safetensors")
  }

  /// The two matrices are recognized by config.json, or because they differ.
  @Test(arguments: [true, false]) func savedAndReadAgain(isSaid: Bool) throws {
    let source = try TemporaryFolder()
    for name in ["model.safetensors", "vocab.txt", "tokenizer_config.json"] {
      try source.write(name, FileMapping.contents(of: Self.folder.path + "/" + name))
    }
    let config = String(decoding: try FileMapping.contents(of: Self.folder.path + "/config.json"), as: UTF8.self)
    let silent = config.replacingOccurrences(of: "  \"tie_word_embeddings\": false,\n", with: "")
    #expect(silent != config)
    try source.write("config.json", isSaid ? config : silent)
    let first = try model(source.path)
    #expect(first.notes.count == (isSaid ? 0 : 1))
    let expected = try logits(first)
    #expect(try largestDifference(expected, #require(golden().file["logits"]).floats()) < 2e-6)
    let folder = try TemporaryFolder()
    try first.save(to: folder.path + "/a")
    let json = try JSONValue.load(file: folder.path + "/a/config.json")
    #expect(json["tie_word_embeddings"]?.bool == false && json["architectures"]?.array?.count == 1)
    let second = try model(folder.path + "/a")
    #expect(try second.notes.isEmpty && logits(second).map(\.bitPattern) == expected.map(\.bitPattern))
    #expect(second.summary().parameterCount == first.configuration.parameterCount)
    // In half precision, each matrix is rounded separately.
    try first.save(to: folder.path + "/b", weights: .float16)
    let halves = try model(folder.path + "/b")
    #expect(try !halves.configuration.tiesWeights && largestDifference(logits(halves), expected) < 0.02)
    #expect(halves.network.head.output.name == Self.projector)
  }

  /// In an untied model, `fit` changes each matrix by its own gradient; if frozen, the head's matrix stays.
  @Test(arguments: [[], [.head], [.backbone], [.embeddings]] as [[ModelPart]])
  func trainedAndFrozen(_ frozen: [ModelPart]) throws {
    let samples = try golden().samples
    let model = try model()
    model.compile(optimizer: .adamW(learningRate: 0.01))
    try model.freeze(frozen)
    let parameters = model.network.parameters
    let before = Dictionary(uniqueKeysWithValues: parameters.parameters.map { ($0.name, $0.matrix.bits) })
    try model.fit(SampleList(samples), options: TrainingOptions(epochs: 2, batchSize: 2))
    func moved(_ name: String) -> Bool { parameters[name]?.matrix.bits != before[name] }
    #expect(moved(Self.projector) == !frozen.contains(.head))
    #expect(moved(ParameterTable.wordEmbeddings) == frozen.isEmpty || frozen == [.head])
    #expect(model.hasTrainedHead)
    let folder = try TemporaryFolder()
    try model.save(to: folder.path + "/a")
    #expect(try logits(self.model(folder.path + "/a")).map(\.bitPattern) == logits(model).map(\.bitPattern))
  }

  /// Float32 matrices, including the output matrix, are used in place in the mapped file, and packed like any other.
  @Test func usedInPlace() throws {
    let model = try model()
    let files = model.network.parameters.mappedMatrices.map(\.0.name)
    #expect(files.contains(Self.projector) && files.count == 2 * 6 + 2)
    let expected = try logits(model)
    for _ in 0..<60 { #expect(try logits(model) == expected) }
    #expect(model.network.parameters.parameters.allSatisfy { $0.values == model.network.parameters[$0.name]?.values })
  }

  /// New heads in KerasHub and transformers share the word embedding, even if the old one did not.
  @Test func aNewHeadIsTied() throws {
    let backbone = try DistilBertBackbone.fromPreset(Self.folder.path, threads: 1)
    let model = try DistilBertMaskedLM(backbone: backbone)
    #expect(model.configuration.tiesWeights && !model.hasTrainedHead)
    #expect(model.network.head.output.name == ParameterTable.wordEmbeddings)
    let random = try DistilBertMaskedLM.fromPreset(Self.folder.path, loadWeights: false, threads: 1)
    #expect(!random.configuration.tiesWeights && random.network.head.output.name == Self.projector)
  }
}
