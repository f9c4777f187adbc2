import Foundation
import Testing

@testable import Files
@testable import Model
@testable import Tensor

/// Fit, evaluate, predict and save together. The examples of KerasHub's pages are in KerasHubExamplesTests.
@Suite struct DistilBertMaskedLMTests {
  static let preset = "distil_bert_tiny_en_uncased"
  let features = ["The quick brown fox jumped.", "I forgot my homework."]

  private func tiny(_ seed: UInt64 = 0, dropout: Float? = nil) throws -> DistilBertMaskedLM {
    try .fromPreset(Self.preset, loadWeights: false, seed: seed, threads: 2, dropout: dropout)
  }

  @Test func memorizesASmallText() throws {
    let maskedLM = try tiny(dropout: 0)
    maskedLM.compile(optimizer: .adam(learningRate: 1e-3), lossReduction: .maskedMean)
    let corpus = TextList(
      ["one two three four five six seven", "a fox and a dog and a bird", "the rose is red and the sky is blue"],
      preprocessor: try #require(maskedLM.preprocessor))
    var last = Double.infinity
    let callback = TrainingCallback.onEpochEnd {
      last = $0.loss
      return .proceed
    }
    try maskedLM.fit(corpus, options: TrainingOptions(epochs: 300, batchSize: 3), callbacks: [callback])
    #expect(last < 0.5)
    #expect(try maskedLM.evaluate(corpus).loss < 0.5)
  }

  /// The same seed gives the same parameters, another seed different ones; a saved model is read back bit for bit.
  @Test func repeatableAndWritten() throws {
    func parameters(_ maskedLM: DistilBertMaskedLM) -> [[Float]] {
      withExtendedLifetime(maskedLM) {
        maskedLM.network.parameters.parameters.map { Array(UnsafeBufferPointer(start: $0.values, count: $0.count)) }
      }
    }
    func trained(_ seed: UInt64) throws -> DistilBertMaskedLM {
      let maskedLM = try tiny(seed)
      try maskedLM.fit(features, batchSize: 1, epochs: 2)
      return maskedLM
    }
    let first = try trained(1)
    #expect(parameters(first) == parameters(try trained(1)))
    #expect(parameters(first) != parameters(try trained(2)))

    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mlm-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try first.save(to: folder)
    let read = try DistilBertMaskedLM.fromPreset(folder, seed: 1, threads: 2)
    #expect(parameters(read) == parameters(first))
    #expect(try read.evaluate(features) == first.evaluate(features))
    #expect(throws: (any Error).self) { try first.save(to: folder) }
  }

  /// A sample's answer depends neither on the other samples nor on the threads.
  @Test func answersDoNotDependOnCompany() throws {
    let texts = [
      "the [MASK] fox", "a", "[MASK] [MASK] and a long text with many more words than the other ones [MASK] .",
    ]
    func samples(_ maskedLM: DistilBertMaskedLM) throws -> [Sample] {
      let tokenizer = try #require(maskedLM.preprocessor?.tokenizer)
      return texts.map { text in
        let special = tokenizer.specialTokens
        let ids =
          [special.classification] + tokenizer.encode(text, specialTokensInText: .maskOnly) + [special.separator]
        return Sample(tokenIDs: ids, maskPositions: ids.indices.filter { ids[$0] == special.mask }.map { Int32($0) })
      }
    }
    let one = try DistilBertMaskedLM.fromPreset(Self.preset, loadWeights: false, threads: 1)
    let three = try DistilBertMaskedLM.fromPreset(Self.preset, loadWeights: false, threads: 3)
    let together = try one.rank(try samples(one))
    #expect(try together == three.rank(samples(three)))
    #expect(together.map(\.count) == [1, 0, 3])
    for (index, sample) in try samples(one).enumerated() {
      // Bit for bit with OpenBLAS' AVX2 and AVX-512 kernels (see GEMM), otherwise up to rounding.
      let alone = try three.rank([sample])[0]
      for (a, b) in zip(alone.joined(), together[index].joined()) {
        #expect(a.token == b.token && abs(a.probability - b.probability) <= 1e-6 * b.probability)
      }
    }
  }

  @Test func defaultThreadsAreThoseOfTheProcess() {
    #expect(DistilBertMaskedLM.defaultThreads == ThreadCount.standard(environment: environmentVariable))
  }
}
