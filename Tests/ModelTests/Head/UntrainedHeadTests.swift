import Foundation
import TestSupport
import Testing

@testable import Model
@testable import Text

/// A randomly initialized head is marked as untrained until a step changes it, even across files.
@Suite struct UntrainedHeadTests {
  private static let configuration = Configuration(
    vocabularySize: 24, hiddenDim: 8, numLayers: 1, numHeads: 2, intermediateDim: 16, maxSequenceLength: 12)

  /// A source that can leave the first epochs without masks.
  private final class Corpus: SampleSource {
    let count = 4
    let firstMaskedEpoch: Int
    init(firstMaskedEpoch: Int = 0) { self.firstMaskedEpoch = firstMaskedEpoch }

    func sample(_ index: Int, epoch: Int) -> Sample {
      let tokens: [Int32] = [2, 5, 4, Int32(6 + index), 3]
      return epoch < firstMaskedEpoch
        ? Sample(tokenIDs: tokens) : Sample(tokenIDs: tokens, maskPositions: [2], labels: [Int32(10 + index)])
    }
  }

  private struct Stop: Error {}

  private func model(rate: Float = 0.01) throws -> DistilBertMaskedLM {
    let model = try DistilBertMaskedLM(configuration: Self.configuration, seed: 5, threads: 1)
    model.compile(optimizer: .adam(learningRate: rate))
    return model
  }

  private func fit(
    _ model: DistilBertMaskedLM, _ source: Corpus = Corpus(), steps: Int, failingAt last: Int? = nil
  ) throws {
    let failure = TrainingCallback.onStep { if $0.step == last { throw Stop() } else { .proceed } }
    try model.fit(
      source, options: TrainingOptions(epochs: nil, maximumSteps: steps, batchSize: 2), callbacks: [failure])
  }

  private func headTensors(_ directory: String) throws -> [String] {
    try Safetensors(path: directory + "/model.safetensors").tensors.map(\.name).filter { !$0.hasPrefix("distilbert.") }
  }

  // MARK: Training

  @Test func aStepThatChangesItDoes() throws {
    let model = try model()
    #expect(!model.hasTrainedHead)
    try fit(model, steps: 1)
    #expect(model.hasTrainedHead)
  }

  @Test func whatDoesNotChangeItDoesNot() throws {
    let noStep = try model()
    try fit(noStep, steps: 0)
    #expect(!noStep.hasTrainedHead)
    let noRate = try model(rate: 0)
    try fit(noRate, steps: 3)
    #expect(!noRate.hasTrainedHead)
    let noMask = try model()
    try fit(noMask, Corpus(firstMaskedEpoch: 9), steps: 3)
    #expect(!noMask.hasTrainedHead)
    let frozen = try model()
    try frozen.freeze([.head])
    try fit(frozen, steps: 3)
    #expect(!frozen.hasTrainedHead)
    let diverging = try model(rate: 1e6)
    #expect(throws: TrainingError.self) { try fit(diverging, steps: 3) }
    #expect(!diverging.hasTrainedHead)
  }

  /// The parameters are those of the last good step.
  @Test func aFitThatFailsLateDoes() throws {
    let model = try model()
    #expect(throws: Stop.self) { try fit(model, steps: 4, failingAt: 2) }
    #expect(model.hasTrainedHead)
  }

  @Test func aFrozenBackboneDoesNotKeepItFromBeingTrained() throws {
    let model = try model()
    model.backbone.isTrainable = false
    try fit(model, steps: 1)
    #expect(model.hasTrainedHead)
  }

  /// The best evaluation came before the first step that changed anything.
  @Test func theBestParametersMayBeUntrained() throws {
    let model = try model(rate: 0.05)
    // Labels that training makes less likely.
    let validation = SampleList([Sample(tokenIDs: [2, 5, 4, 7, 3], maskPositions: [2], labels: [20])])
    let outcome = try model.fit(
      Corpus(firstMaskedEpoch: 1), validation: validation,
      options: TrainingOptions(epochs: 3, batchSize: 4, earlyStopping: 5))
    #expect(outcome.state.best?.step == 1 && outcome.state.updates == 2)
    #expect(!model.hasTrainedHead)
  }

  // MARK: Files

  @Test func isNotWritten() throws {
    let folder = try TemporaryFolder()
    let model = try model()
    #expect(model.notesOnWriting == ["the masked-language-model head was never trained, and is left out of the files"])
    try model.save(to: folder.path + "/a")
    #expect(try headTensors(folder.path + "/a").isEmpty)
    let json = try JSONValue.load(file: folder.path + "/a/config.json")
    #expect(json["architectures"] == .array([.string("DistilBertModel")]))
    let again = try DistilBertMaskedLM.fromPreset(folder.path + "/a", preprocessor: nil, threads: 1)
    #expect(!again.hasTrainedHead && again.warnings.count == 1)
    // In half precision, and with a trained head.
    try again.save(to: folder.path + "/b", weights: .float16)
    #expect(try headTensors(folder.path + "/b").isEmpty)
    try fit(again, steps: 1)
    #expect(again.notesOnWriting.isEmpty)
    try again.save(to: folder.path + "/b", overwrite: true)
    #expect(try headTensors(folder.path + "/b").count == 5)
    #expect(try DistilBertMaskedLM.fromPreset(folder.path + "/b", preprocessor: nil, threads: 1).hasTrainedHead)
    let written = try JSONValue.load(file: folder.path + "/b/config.json")
    #expect(written["architectures"] == .array([.string("DistilBertForMaskedLM")]))
  }

  /// Parts from a file are kept; others are not written.
  @Test func aPartOfAHead() throws {
    let folder = try TemporaryFolder()
    let whole = try SmallModel.micro()
    let sources = whole.network.tensorSources.filter { $0.name != "vocab_layer_norm.weight" }
    try ModelDirectory.write(
      to: folder.path + "/a", configuration: whole.configuration, tensors: sources, files: whole.tokenizerFiles)
    let part = try DistilBertMaskedLM.fromPreset(folder.path + "/a", threads: 1)
    #expect(!part.hasTrainedHead)
    try part.save(to: folder.path + "/b")
    #expect(try headTensors(folder.path + "/b").count == 4)
    #expect(try !DistilBertMaskedLM.fromPreset(folder.path + "/b", threads: 1).hasTrainedHead)
  }

  @Test func anEncoderWithANewHead() throws {
    let model = try DistilBertMaskedLM(backbone: .fromPreset(SmallModel.micro, threads: 1))
    let folder = try TemporaryFolder()
    try model.save(to: folder.path + "/a")
    #expect(try !model.hasTrainedHead && headTensors(folder.path + "/a").isEmpty)
  }

  /// A checkpoint is a model directory, but its untrained head is not mistaken for a trained one.
  @Test func inACheckpoint() throws {
    let folder = try TemporaryFolder()
    let checkpoints = CheckpointFolder(output: folder.path)
    let model = try model()
    try model.freeze([.head])
    try model.fit(
      Corpus(), options: TrainingOptions(epochs: 1, batchSize: 2), checkpoints: CheckpointOptions(folder: checkpoints))
    let newest = try #require(checkpoints.newest)
    #expect(try headTensors(newest).isEmpty)
    #expect(try !DistilBertMaskedLM.fromPreset(newest, preprocessor: nil, threads: 1).hasTrainedHead)
  }
}
