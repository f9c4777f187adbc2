import Foundation
import Testing

@testable import Model
@testable import Tensor

@Suite struct PseudoLikelihoodTests {
  /// Token 4 is the mask, 2 and 3 are special, and tokens from 100 on continue a word.
  private func masking(_ variant: PseudoLikelihood.Variant) -> TokenMasking {
    TokenMasking(maskTokenID: 4, specialTokenIDs: [2, 3, 0, 4], variant: variant, continuesWord: { $0 >= 100 })
  }

  @Test func everyTokenIsMaskedInItsTurn() {
    let copies = masking(.original)(Sample(tokenIDs: [2, 10, 101, 11, 3]))
    #expect(copies.map(\.tokenIDs) == [[2, 4, 101, 11, 3], [2, 10, 4, 11, 3], [2, 10, 101, 4, 3]])
    #expect(copies.map(\.maskPositions) == [[1], [2], [3]] && copies.map(\.labels) == [[10], [101], [11]])
  }

  @Test func theRestOfTheWordIsMaskedToo() {
    let copies = masking(.withinWordLeftToRight)(Sample(tokenIDs: [2, 10, 101, 102, 11, 103, 3]))
    #expect(
      copies.map(\.tokenIDs) == [
        [2, 4, 4, 4, 11, 103, 3], [2, 10, 4, 4, 11, 103, 3], [2, 10, 101, 4, 11, 103, 3], [2, 10, 101, 102, 4, 4, 3],
        [2, 10, 101, 102, 11, 4, 3],
      ])
    #expect(copies.map(\.maskPositions) == [[1], [2], [3], [4], [5]])
  }

  @Test func masksAreUndoneFirst() {
    let plain = Sample(tokenIDs: [2, 10, 11, 12, 3])
    let masked = Sample(
      tokenIDs: [2, 4, 11, 99, 3], maskPositions: [1, 3], labels: [10, 12], weights: [0.5, 2], slots: 9)
    #expect(masking(.original)(masked) == masking(.original)(plain))
    // A mask without a label stays.
    #expect(masking(.original)(Sample(tokenIDs: [2, 4, 11, 3])).map(\.tokenIDs) == [[2, 4, 4, 3]])
    #expect(masking(.original)(Sample(tokenIDs: [2, 3])).isEmpty && masking(.original)(Sample(tokenIDs: [])).isEmpty)
  }

  @Test func positionsAreKept() {
    let copies = masking(.withinWordLeftToRight)(Sample(tokenIDs: [2, 10, 101, 3], positionIDs: [0, 1, 5, 6]))
    // With padding between them, the tokens are not the same word.
    #expect(copies.map(\.tokenIDs) == [[2, 4, 101, 3], [2, 10, 4, 3]])
    #expect(copies.allSatisfy { $0.positionIDs == [0, 1, 5, 6] })
  }

  // MARK: Evaluation

  private struct Case: Decodable {
    let text: String
    let token_ids: [Int32]
    let original, within_word_l2r: [Double]
  }

  private func model(threads: Int = 2) throws -> DistilBertMaskedLM {
    try DistilBertMaskedLM.fromPreset(Golden.url("model/micro").path, threads: threads)
  }

  private func texts(_ model: DistilBertMaskedLM, _ texts: [String]) throws -> TextList {
    TextList(texts, preprocessor: try #require(model.preprocessor))
  }

  /// Compares with transformers, one pass per copy, in float64 (Scripts/generate-pseudo-likelihoods).
  @Test func agreesWithTransformers() throws {
    let cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: Golden.url("pseudo/micro.json")))
    let model = try model()
    let source = try texts(model, cases.map(\.text))
    for (variant, expected) in [
      (PseudoLikelihood.Variant.original, cases.map(\.original)),
      (.withinWordLeftToRight, cases.map(\.within_word_l2r)),
    ] {
      var found: [PseudoLikelihood] = []
      let all = try model.evaluate(
        source, pseudoLikelihood: variant,
        onSample: { index, evaluation in
          #expect(index == found.count && evaluation.tokens == cases[index].token_ids.count)
          found.append(try #require(evaluation.pseudoLikelihood))
        })
      try #require(found.count == cases.count)
      for (found, expected) in zip(found, expected) {
        #expect(found.tokens == expected.count)
        let sum = expected.reduce(0, +)
        #expect(abs(found.logLikelihood - sum) < 1e-5 * Double(expected.count), "\(found.logLikelihood) \(sum)")
      }
      let likelihood = try #require(all.pseudoLikelihood)
      let sum = expected.flatMap(\.self).reduce(0, +)
      #expect(abs(likelihood.logLikelihood - sum) < 1e-3)
      #expect(abs(likelihood.perplexity / exp(-sum / Double(likelihood.tokens)) - 1) < 1e-5)
    }
  }

  /// Compares each token's score, not only the sums.
  @Test func tokensAgreeWithTransformers() throws {
    let cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: Golden.url("pseudo/micro.json")))
    let model = try model()
    let preprocessor = try #require(model.preprocessor)
    let evaluator = Evaluator(network: model.network, compute: model.compute)
    for variant in PseudoLikelihood.Variant.allCases {
      let masking = TokenMasking(preprocessor, variant)
      for example in cases {
        let scores = try evaluator.sampleSums(masking(Sample(tokenIDs: example.token_ids))).map { -$0.loss }
        let expected = variant == .original ? example.original : example.within_word_l2r
        #expect(scores.count == expected.count)
        for (score, expected) in zip(scores, expected) { #expect(abs(score - expected) < 2e-5, "\(example.text)") }
      }
    }
  }

  /// Lines of 1 to 40 tokens, for more than one window.
  private static let lines: [String] = (0..<300).map { (index: Int) -> String in
    let words = ["fox", "the", "tamarwexta", "1984", "sel"]
    let count = 1 + index * 7 % 18
    return (0..<count).map { words[($0 * 3 + index) % 5] }.joined(separator: " ")
  }

  private func evaluations(_ lines: [String], threads: Int) throws -> (all: Evaluation, samples: [Evaluation]) {
    let model = try model(threads: threads)
    var samples: [Evaluation] = []
    let all = try model.evaluate(
      texts(model, lines), pseudoLikelihood: .withinWordLeftToRight, onSample: { samples.append($1) })
    return (all, samples)
  }

  @Test(.enabled(if: OpenBLAS.hasMeasuredKernel, otherKernel), arguments: [1, 3, 8])
  func figuresDoNotDependOnThreads(_ threads: Int) throws {
    let (two, others) = (try evaluations(Self.lines, threads: 2), try evaluations(Self.lines, threads: threads))
    #expect(two.all == others.all && two.samples == others.samples)
  }

  @Test(.enabled(if: OpenBLAS.hasMeasuredKernel, otherKernel)) func figuresDoNotDependOnNeighbours() throws {
    let together = try evaluations(Self.lines, threads: 2).samples
    for index in [0, 1, 17, 255, 256, 299] {
      // Masks depend on the index in the corpus; this figure does not.
      let alone = try evaluations([Self.lines[index]], threads: 2).samples
      #expect(alone.map(\.pseudoLikelihood) == [together[index].pseudoLikelihood])
    }
  }

  @Test func sumsAreThoseOfTheSamples() throws {
    let (all, samples) = try evaluations(Self.lines, threads: 2)
    #expect(samples.count == 300 && all.samples == 300 && samples.allSatisfy { $0.samples == 1 })
    #expect(samples.reduce(0) { $0 + $1.maskedTokens } == all.maskedTokens)
    let sum = samples.reduce(0) { $0 + ($1.pseudoLikelihood?.logLikelihood ?? .nan) }
    #expect(abs(sum - (all.pseudoLikelihood?.logLikelihood ?? .nan)) < 1e-6 * abs(sum))
    #expect(all.pseudoLikelihood?.tokens == all.tokens - 2 * 300)
  }

  /// The other figures are the same as without pseudo-likelihood.
  @Test func nothingElseChanges() throws {
    let model = try model()
    let source = try texts(model, Self.lines)
    var plain = try model.evaluate(source)
    #expect(plain.pseudoLikelihood == nil)
    let scored = try model.evaluate(source, pseudoLikelihood: .original)
    plain.pseudoLikelihood = scored.pseudoLikelihood
    #expect(plain == scored && scored.pseudoLikelihood != nil)
  }

  @Test func nothingToScore() throws {
    let model = try model()
    let none = try model.evaluate(SampleList([Sample(tokenIDs: [2, 3])]), pseudoLikelihood: .original)
    #expect(none.pseudoLikelihood?.tokens == 0 && none.pseudoLikelihood?.perplexity.isNaN == true)
    model.preprocessor = nil
    #expect(throws: ModelUseError.noPreprocessor) {
      try model.evaluate(SampleList([Sample(tokenIDs: [2, 5, 3])]), pseudoLikelihood: .original)
    }
  }

  /// The figures so far are kept.
  @Test func progressCanStop() throws {
    let model = try model()
    var seen = 0
    let part = try model.evaluate(
      texts(model, Self.lines), pseudoLikelihood: .original, progress: { $0 < 100 },
      onSample: { index, _ in
        #expect(index == seen)
        seen += 1
      })
    #expect(part.samples == seen && seen >= 100 && seen < 300)
  }
}
