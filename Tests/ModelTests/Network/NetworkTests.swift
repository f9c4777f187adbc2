import TestSupport
import Testing

@testable import Model
@testable import Tensor

/// The whole network at toy sizes: gradients, pruned rows, samples alone and together.
@Suite struct NetworkTests {
  static let toy = Configuration(
    vocabularySize: 37, hiddenDim: 12, numLayers: 2, numHeads: 3, intermediateDim: 19, maxSequenceLength: 30,
    dropout: 0.2, attentionDropout: 0.15, headLayerNormEpsilon: 1e-5)

  private func samples(_ bench: Bench, _ configuration: Configuration = toy) -> [Sample] {
    [(5, [1, 3]), (1, [0]), (9, []), (17, [0, 7, 16])].map { bench.sample($0, masks: $1, configuration) }
  }

  /// Along a random direction of all parameters, with dropout, the loss's slope is direction · gradient.
  @Test(arguments: [(0, true), (1, true), (2, true), (0, false), (2, false)], [1, 12])
  func gradientAlongARandomDirection(_ model: (layers: Int, isTied: Bool), _ alignment: Int) throws {
    var configuration = Self.toy
    (configuration.numLayers, configuration.tiesWeights) = (model.layers, model.isTied)
    try Bench.run(threads: 2) { bench in
      let network = try bench.network(configuration)
      let batch = Batch(samples(bench), alignment: alignment)
      let key = DropoutKey(seed: 3, step: 7)
      _ = network.addGradients(batch, lossFactor: 0.25, key, bench.context)
      let block = try #require(network.parameters.valueBlock)
      let gradients = try #require(network.parameters.gradientBlock)
      let size = network.parameters.blockSize
      let start = (0..<size).map { block[$0] }
      let direction = (0..<size).map { _ in bench.number() }
      let slope = (0..<size).reduce(0.0) { $0 + Double(gradients[$1]) * Double(direction[$1]) }
      func loss(_ step: Float) -> Double {
        for index in 0..<size { block[index] = start[index] + step * direction[index] }
        return network.addGradients(batch, lossFactor: 1, key, bench.context).loss * 0.25
      }
      let step: Float = 2e-3
      let measured = (loss(step) - loss(-step)) / Double(2 * step)
      #expect(slope.isFinite && abs(slope - measured) < 5e-3 * abs(measured) + 1e-3, "\(slope), measured \(measured)")
    }
  }

  @Test(arguments: [1, 2, 3])
  func prunedRowsAreRowsOfAll(_ threads: Int) throws {
    try Bench.run(threads: threads) { bench in
      let network = try bench.network(Self.toy)
      let batch = Batch(samples(bench))
      let all = network.backbone.predict(batch, allRows: true, bench.context)
      let some = network.backbone.predict(batch, bench.context)
      let (kept, _) = network.backbone.forward(batch, nil, bench.context)
      let expected = bench.matrix(some.rows, 12)
      Rows.gather(all, batch.maskedRows, into: expected, on: .serial)
      #expect(some.rows == 6 && largestDifference(some.array, expected.array) < 1e-5)
      #expect(kept.bits == some.bits)
    }
  }

  /// With dropout, the pass that saves activations and the one that does not (a frozen backbone's) agree.
  @Test func bothForwardsDropTheSame() throws {
    try Bench.run(threads: 2) { bench in
      let network = try bench.network(Self.toy)
      let batch = Batch(samples(bench))
      let key = DropoutKey(seed: 1, step: 2)
      let (kept, _) = network.backbone.forward(batch, key, bench.context)
      #expect(kept.bits == network.backbone.predict(batch, dropout: key, bench.context).bits)
      #expect(kept.bits != network.backbone.predict(batch, bench.context).bits)
    }
  }

  /// A position may be requested more than once, even more often than there are tokens.
  @Test func moreMasksThanTokens() throws {
    try Bench.run(threads: 2) { bench in
      let network = try bench.network(Self.toy)
      let sample = bench.sample(3, masks: [Int](repeating: 1, count: 40), Self.toy)
      for alignment in [1, 12] {
        let batch = Batch([sample], alignment: alignment)
        let states = network.backbone.predict(batch, bench.context)
        let rows = (0..<40).map { states.rows($0..<$0 + 1).array }
        #expect(states.rows >= 40 && rows.allSatisfy { largestDifference($0, rows[0]) < 1e-5 })
        let after = bench.matrix(1, 1)
        #expect(after.start >= states.start + states.count)
        #expect(network.addGradients(batch, lossFactor: 1, nil, bench.context).loss.isFinite)
      }
    }
  }

  /// Returns the logits; without an alignment, with that of inference.
  private func logits(_ samples: [Sample], _ network: Network, _ alignment: Int?, _ context: Context) -> [[Float]] {
    let batch = alignment.map { Batch(samples, alignment: $0) } ?? .inference(samples)
    var found: [[Float]] = []
    network.forEachLogits(batch, context) { _, logits in
      for row in 0..<logits.rows { found.append(logits.rows(row..<row + 1).array) }
    }
    return samples.indices.flatMap { sample in batch.masks.range(sample).map { found[$0] } }
  }

  private func alone(_ samples: [Sample], _ network: Network, _ alignment: Int?, _ context: Context) -> [[Float]] {
    samples.flatMap { logits([$0], network, alignment, context) }
  }

  @Test(arguments: [1, 2, 3])
  func samplesTogetherAreSamplesAlone(_ threads: Int) throws {
    try Bench.run(threads: threads) { bench in
      let network = try bench.network(Self.toy)
      let samples = samples(bench)
      let expected = alone(samples, network, 1, bench.context)
      for alignment in [1, 12] {
        let found = logits(samples, network, alignment, bench.context)
        #expect(found.count == 6 && zip(found, expected).allSatisfy { largestDifference($0, $1) < 1e-5 })
      }
    }
  }

  /// Bit for bit if each sample begins at a tile: the answer to a text does not depend on the rest of the batch.
  @Test(
    .enabled(
      if: OpenBLAS.hasMeasuredKernel,
      "OpenBLAS computes with a kernel here whose order of additions is not known; see the test above"),
    arguments: [1, 2, 3])
  func lastBitsTogetherAreThoseAlone(_ threads: Int) throws {
    let configuration = Configuration(
      vocabularySize: 1003, hiddenDim: 128, numLayers: 2, numHeads: 2, intermediateDim: 512, maxSequenceLength: 64)
    try Bench.run(threads: threads) { bench in
      let network = try bench.network(configuration)
      let samples = [(5, [1, 3]), (1, [0]), (37, Array(3..<30)), (12, []), (64, [0, 63]), (13, [12])].map {
        bench.sample($0, masks: $1, configuration)
      }
      let expected = Bench.run { alone(samples, network, nil, $0.context) }
      let found = logits(samples, network, nil, bench.context)
      #expect(found.map { $0.map(\.bitPattern) } == expected.map { $0.map(\.bitPattern) })
      let reversed = logits(samples.reversed(), network, nil, bench.context)
      #expect(Set(reversed) == Set(expected))
    }
  }

  /// A NaN weight anywhere must show in the loss, not only in the gradient: evaluation has no other sign.
  @Test(arguments: [true, false]) func aBrokenWeightShowsInTheLoss(isTied: Bool) throws {
    var configuration = Self.toy
    configuration.tiesWeights = isTied
    try Bench.run { bench in
      let network = try bench.network(configuration)
      let batch = Batch(samples(bench))
      for parameter in network.parameters.parameters where !parameter.name.contains("position") {
        // In the embedding, the row of a token in the sample.
        let index =
          parameter.name == ParameterTable.wordEmbeddings ? Int(batch.tokenIDs[0]) * 12 + 3 : parameter.count - 1
        let kept = parameter.values[index]
        parameter.values[index] = .nan
        #expect(network.evaluate(batch, bench.context).loss.isNaN, "\(parameter.name)")
        parameter.values[index] = kept
      }
      #expect(network.evaluate(batch, bench.context).loss.isFinite)
    }
  }

  @Test func nothingMasked() throws {
    try Bench.run { bench in
      let network = try bench.network(Self.toy)
      let batch = Batch([bench.sample(4, masks: [], Self.toy)])
      #expect(network.addGradients(batch, lossFactor: 1, nil, bench.context) == LossSums())
      #expect(network.evaluate(batch, bench.context) == LossSums())
      #expect(network.evaluate(Batch(), bench.context) == LossSums())
    }
  }
}
