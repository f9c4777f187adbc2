import TestSupport
import Testing

@testable import Model
@testable import Tensor

@Suite struct ModelPartTests {
  @Test(arguments: [
    ("embeddings", ModelPart.embeddings), ("backbone", .backbone), ("head", .head), ("layers:0-3", .layers(0...3)),
    ("layers:2", .layers(2...2)),
  ])
  func text(_ text: String, _ part: ModelPart) {
    #expect(ModelPart(text) == part && part.text == text)
  }

  @Test(arguments: [
    "", "layers", "layers:", "layers:3-1", "layers:-1", "layers:1-", "layers:0-1-2", "layers:+1", "layers:x", "Head",
    "layers:99999999999999999999",
  ])
  func noPart(_ text: String) { #expect(ModelPart(text) == nil) }

  private static let toy: Configuration = {
    var configuration = NetworkTests.toy
    configuration.numLayers = 3
    return configuration
  }()

  /// Trainable parameters get the same gradient as without freezing, to the last bit; the others stay.
  @Test(
    arguments: [
      [.embeddings], [.layers(0...0)], [.embeddings, .layers(0...0)], [.embeddings, .layers(0...1)], [.backbone],
      [.head],
      [.layers(1...2)], [.embeddings, .layers(0...2)], [.embeddings, .head],
    ] as [[ModelPart]])
  func gradients(_ parts: [ModelPart]) throws {
    func step(_ parts: [ModelPart]) throws -> (
      network: [(ParameterTable.Row, gradient: [UInt32]?, moved: Bool)], Double
    ) {
      try Bench.run { bench in
        let network = try bench.network(Self.toy)
        network.freeze(parts)
        let samples = [(5, [1, 3]), (1, [0]), (17, [0, 7, 16])].map { bench.sample($0, masks: $1, Self.toy) }
        var batch = Batch()
        for sample in samples { batch.append(sample) }
        network.parameters.clearGradients(on: .serial)
        _ = network.addGradients(batch, lossFactor: 1, DropoutKey(seed: 1, step: 1), bench.context)
        network.parameters.clearStaleGradients(on: .serial)
        let gradients = network.parameters.parameters.map { $0.gradient?.bits }
        let before = network.parameters.parameters.map { $0.matrix.bits }
        let training = TrainingStep(network, Compute(threads: 2), .adam(), .maskedMean, seed: 5)
        let result = try training.run(samples, batchSize: 3, learningRate: 0.1)
        let rows = zip(network.table.rows, zip(network.parameters.parameters, zip(gradients, before))).map {
          row, values in (row, values.1.0, values.0.matrix.bits != values.1.1)
        }
        return (rows, result.sums.loss)
      }
    }
    let (all, loss) = try step([])
    let (some, sameLoss) = try step(parts)
    #expect(loss == sameLoss)
    for (whole, part) in zip(all, some) {
      let isFrozen = parts.contains { $0.contains(part.0) }
      #expect((part.gradient == nil) == isFrozen && part.moved == !isFrozen, "\(part.0.name)")
      if !isFrozen { #expect(part.gradient == whole.gradient, "\(part.0.name)") }
    }
  }

  @Test func lowestTrained() throws {
    try Bench.run { bench in
      let network = try bench.network(Self.toy)
      func lowest(_ parts: [ModelPart]) -> Int? {
        network.freeze(parts)
        return network.backbone.lowestTrained
      }
      #expect(lowest([]) == 0 && lowest([.layers(0...2)]) == 0 && lowest([.embeddings]) == 1)
      #expect(lowest([.embeddings, .layers(0...1)]) == 3 && lowest([.embeddings, .layers(0...2)]) == nil)
      #expect(lowest([.backbone]) == nil && lowest([.head]) == 0)
    }
  }

  /// Frozen layers save no activations.
  @Test func memory() throws {
    func capacity(_ parts: [ModelPart]) throws -> Int {
      try Bench.run { bench in
        var configuration = Self.toy
        (configuration.hiddenDim, configuration.intermediateDim, configuration.numLayers) = (96, 384, 6)
        let network = try bench.network(configuration)
        network.freeze(parts)
        let training = TrainingStep(network, Compute(threads: 1), .adam(), .maskedMean, seed: 5)
        let samples = (0..<64).map { _ in bench.sample(30, masks: [1, 2], configuration) }
        for _ in 0..<2 { _ = try training.run(samples, batchSize: 64, learningRate: 0) }
        return training.compute.joint.arena.capacity
      }
    }
    #expect(try capacity([.embeddings, .layers(0...3)]) < capacity([]) * 2 / 3)
  }
}

extension Network {
  /// Freezes these parts and trains all others.
  fileprivate func freeze(_ parts: [ModelPart]) {
    for (row, parameter) in zip(table.rows, parameters.parameters) {
      parameter.isTrainable = !parts.contains { $0.contains(row) }
    }
  }
}
