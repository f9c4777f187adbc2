import Glibc
import TestSupport
import Testing

@testable import Model
@testable import Tensor

@Suite struct EvaluatorTests {
  private final class Source: SampleSource {
    let samples: [Sample]
    init(_ samples: [Sample]) { self.samples = samples }
    var count: Int { samples.count }
    func sample(_ index: Int, epoch: Int) throws -> Sample { samples[index] }
  }

  private let configuration = Configuration(
    vocabularySize: 203, hiddenDim: 64, numLayers: 2, numHeads: 2, intermediateDim: 128, maxSequenceLength: 40)

  /// Returns more than one window of samples, some without a mask.
  private func source(_ bench: Bench) -> Source {
    Source(
      (0..<300).map { index in
        let length = 1 + index * 7 % 40
        return bench.sample(length, masks: (0..<length).filter { ($0 * 5 + index) % 6 == 0 }, configuration)
      })
  }

  private func evaluation(_ threads: Int) throws -> Evaluation {
    try Bench.run { bench in
      try Evaluator(network: bench.network(configuration, trainable: false), compute: Compute(threads: threads))
        .evaluate(source(bench))
    }
  }

  @Test func sumsAreThoseOfTheSamples() throws {
    try Bench.run { bench in
      let network = try bench.network(configuration, trainable: false)
      let source = source(bench)
      let found = try Evaluator(network: network, compute: Compute(threads: 2)).evaluate(source)
      var sums = LossSums()
      for sample in source.samples { sums += network.evaluate(Batch([sample]), bench.context) }
      #expect(abs(found.loss - sums.meanLoss) < 1e-5 && abs(found.accuracy - sums.accuracy) < 1e-9)
      #expect(found.perplexity == exp(found.loss) && found.maskedTokens == sums.count && found.samples == 300)
      #expect(found.tokens == source.samples.reduce(0) { $0 + $1.tokenIDs.count })
    }
  }

  @Test(arguments: [2, 3, 8])
  func figuresDoNotDependOnThreads(_ threads: Int) throws {
    let (one, many) = (try evaluation(1), try evaluation(threads))
    if OpenBLAS.hasMeasuredKernel { #expect(one == many) } else { #expect(abs(one.loss - many.loss) < 1e-6) }
  }

  @Test func nothingToEvaluate() throws {
    try Bench.run { bench in
      let evaluator = Evaluator(network: try bench.network(configuration), compute: Compute(threads: 2))
      #expect(try evaluator.evaluate(Source([])).samples == 0)
      let unmasked = try evaluator.evaluate(Source([bench.sample(3, masks: [], configuration)]))
      #expect(unmasked.maskedTokens == 0 && unmasked.tokens == 3)
      #expect(unmasked.loss.isNaN && unmasked.accuracy.isNaN && unmasked.perplexity.isNaN)
    }
  }

  @Test func progressCanStop() throws {
    try Bench.run { bench in
      let evaluator = Evaluator(network: try bench.network(configuration), compute: Compute(threads: 2))
      var calls: [Int] = []
      let found = try evaluator.evaluate(source(bench)) { done in
        calls.append(done)
        return false
      }
      #expect(calls == [256] && found.samples == 256)
    }
  }
}
