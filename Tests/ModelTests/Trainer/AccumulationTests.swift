import TestSupport
import Testing

@testable import Model
@testable import Tensor

/// `TrainingStep` at toy sizes: accumulation, dropout, clipping, NaN, memory.
@Suite struct AccumulationTests {
  private let toy = NetworkTests.toy

  private func samples(_ bench: Bench) -> [Sample] {
    [(5, [1, 3]), (1, [0]), (9, []), (17, [0, 7, 16]), (4, [2]), (30, [4, 5, 6]), (2, [1]), (8, [0, 7])].map {
      bench.sample($0, masks: $1, toy)
    }
  }

  private func gradients(_ network: Network) throws -> [Float] {
    try network.parameters.parameters.flatMap { try #require($0.gradient).array }
  }

  /// A step of eight samples equals one of four batches of two, including dropout, for every loss reduction.
  @Test(arguments: [1, 2, 3, 5], LossReduction.allCases)
  func aStepDoesNotDependOnItsBatches(_ batchSize: Int, _ reduction: LossReduction) throws {
    func run(_ batchSize: Int) throws -> ([Float], TrainingStep.Result) {
      try Bench.run { bench in
        let network = try bench.network(toy)
        let training = TrainingStep(network, Compute(threads: 2), .adam(), reduction, seed: 5)
        let result = try training.run(samples(bench), batchSize: batchSize, learningRate: 1e-3)
        return (try gradients(network), result)
      }
    }
    let (whole, pieces) = (try run(8), try run(batchSize))
    let largest = whole.0.reduce(0) { max($0, $1.magnitude) }
    #expect(largest > 0 && largestDifference(whole.0, pieces.0) < 1e-6 * largest)
    #expect(abs(whole.1.sums.loss - pieces.1.sums.loss) < 1e-6 * whole.1.sums.loss)
    #expect(abs(whole.1.gradientNorm - pieces.1.gradientNorm) < 1e-6 * whole.1.gradientNorm)
    #expect(whole.1.sums.count == 13 && pieces.1.sums.count == 13)
  }

  /// The gradient's divisor: the weights of all masked tokens, or all slots.
  @Test func divisors() throws {
    func norm(_ reduction: LossReduction, slots: Int) throws -> Double {
      try Bench.run { bench in
        let training = TrainingStep(try bench.network(toy), Compute(threads: 1), .adam(), reduction, seed: 5)
        var samples = samples(bench)
        for index in samples.indices { samples[index].slots = slots }
        let result = try training.run(samples, batchSize: 3, learningRate: 1e-3)
        let divisor = reduction == .maskedMean ? result.sums.weight : Double(8 * slots)
        return result.gradientNorm * divisor
      }
    }
    let mean = try norm(.maskedMean, slots: 4)
    #expect(abs(try norm(.sumOverBatchSize, slots: 4) - mean) < 1e-5 * mean)
    #expect(abs(try norm(.sumOverBatchSize, slots: 11) - mean) < 1e-5 * mean)
    #expect(abs(try norm(.maskedMean, slots: 11) - mean) < 1e-9 * mean)
  }

  @Test func stepsDropDifferently() throws {
    try Bench.run { bench in
      let training = TrainingStep(try bench.network(toy), Compute(threads: 2), .adam(), .maskedMean, seed: 5)
      let samples = samples(bench)
      let first = try training.run(samples, batchSize: 8, learningRate: 0).sums.loss
      #expect(try training.run(samples, batchSize: 8, learningRate: 0).sums.loss != first)
    }
  }

  @Test(arguments: [0.01, 1e6] as [Float])
  func clipping(_ limit: Float) throws {
    func run(_ limit: Float?) throws -> (norm: Double, change: [Float]) {
      try Bench.run { bench in
        let network = try bench.network(toy)
        // With a large ε the step is proportional to the gradient.
        let optimizer = Optimizer.adam(epsilon: 1e4, clipNorm: limit)
        let training = TrainingStep(network, Compute(threads: 2), optimizer, .maskedMean, seed: 5)
        let before = network.parameters.parameters.flatMap { $0.matrix.array }
        let result = try training.run(samples(bench), batchSize: 8, learningRate: 1e5)
        return (
          result.gradientNorm, zip(network.parameters.parameters.flatMap { $0.matrix.array }, before).map { $0 - $1 }
        )
      }
    }
    let (free, clipped) = (try run(nil), try run(limit))
    #expect(free.norm == clipped.norm)
    let scale = Float(min(1, Double(limit) / free.norm))
    let largest = free.change.reduce(0) { max($0, $1.magnitude) }
    #expect(largestDifference(clipped.change, free.change.map { $0 * scale }) < 1e-3 * largest * scale + 1e-6)
  }

  @Test func aFrozenBackboneStays() throws {
    try Bench.run { bench in
      let network = try bench.network(toy)
      network.trainsBackbone = false
      let training = TrainingStep(network, Compute(threads: 2), .adamW(), .maskedMean, seed: 5)
      let before = network.parameters.parameters.map { $0.matrix.bits }
      for _ in 0..<3 { _ = try training.run(samples(bench), batchSize: 3, learningRate: 0.01) }
      for (row, (parameter, before)) in zip(network.table.rows, zip(network.parameters.parameters, before)) {
        #expect((parameter.matrix.bits == before) == row.isBackbone, "\(parameter.name)")
      }
    }
  }

  @Test func brokenNumbersStopAndChangeNothing() throws {
    try Bench.run { bench in
      let network = try bench.network(toy)
      let training = TrainingStep(network, Compute(threads: 2), .adam(), .maskedMean, seed: 5)
      _ = try training.run(samples(bench), batchSize: 4, learningRate: 1e-3)
      let query = try #require(network.parameters["distilbert.transformer.layer.0.attention.q_lin.weight"])
      query.values[5] = .nan
      let before = network.parameters.parameters.map { $0.matrix.bits }
      #expect(throws: TrainingError.lossIsNotFinite(step: 2, learningRate: 1e-3)) {
        _ = try training.run(samples(bench), batchSize: 4, learningRate: 1e-3)
      }
      #expect(network.parameters.parameters.map { $0.matrix.bits } == before && training.state.steps == 1)
      query.values[5] = 0
      #expect(try training.run(samples(bench), batchSize: 4, learningRate: 1e-3).sums.loss.isFinite)
    }
  }

  /// The loss is finite, but a sum of gradients overflows 32 bits.
  @Test func aGradientThatOverflowsStopsAndChangesNothing() throws {
    try Bench.run { bench in
      let network = try bench.network(toy)
      let training = TrainingStep(network, Compute(threads: 2), .adam(), .sumOverBatchSize, seed: 5)
      let before = network.parameters.parameters.map { $0.matrix.bits }
      let samples = (0..<4).map { _ in
        Sample(tokenIDs: [2, 5, 3], maskPositions: [1], labels: [7], weights: [3e38], slots: 1)
      }
      #expect(throws: TrainingError.gradientIsNotFinite(step: 1, learningRate: 1e-3)) {
        _ = try training.run(samples, batchSize: 4, learningRate: 1e-3)
      }
      #expect(network.parameters.parameters.map { $0.matrix.bits } == before && training.state.steps == 0)
    }
  }

  @Test func stepsWithoutAMaskDoNothing() throws {
    try Bench.run { bench in
      let network = try bench.network(toy)
      let training = TrainingStep(network, Compute(threads: 2), .adamW(), .maskedMean, seed: 5)
      let before = network.parameters.parameters.map { $0.matrix.bits }
      for samples in [[], [bench.sample(4, masks: [], toy)]] {
        let result = try training.run(samples, batchSize: 2, learningRate: 1)
        #expect(result.sums == LossSums() && result.gradientNorm == 0 && training.state.steps == 0)
      }
      #expect(network.parameters.parameters.map { $0.matrix.bits } == before)
    }
  }

  /// After the first step of the largest size, the arena allocates no memory.
  @Test(arguments: [false, true])
  func memoryIsTakenOnce(_ frozen: Bool) throws {
    var configuration = toy
    (configuration.hiddenDim, configuration.intermediateDim, configuration.vocabularySize) = (96, 384, 3000)
    try Bench.run { bench in
      let network = try bench.network(configuration)
      network.trainsBackbone = !frozen
      let training = TrainingStep(network, Compute(threads: 2), .adam(), .maskedMean, seed: 5)
      let large = (0..<24).map { _ in bench.sample(30, masks: [1, 2, 5, 8, 20], configuration) }
      _ = try training.run(large, batchSize: 24, learningRate: 1e-4)
      let arena = training.compute.joint.arena
      let blocks = arena.blocksAllocated
      #expect(blocks > 1)
      for size in [24, 3, 24, 10, 7, 24] { _ = try training.run(large, batchSize: size, learningRate: 1e-4) }
      #expect(arena.blocksAllocated == blocks)
    }
  }

  @Test func runsAreRepeatable() throws {
    func run() throws -> [[UInt32]] {
      try Bench.run { bench in
        let network = try bench.network(toy)
        let training = TrainingStep(network, Compute(threads: 3), .adamW(), .maskedMean, seed: 5)
        for _ in 0..<4 { _ = try training.run(samples(bench), batchSize: 3, learningRate: 1e-2) }
        return network.parameters.parameters.map { $0.matrix.bits }
      }
    }
    #expect(try run() == run())
  }
}
