import Glibc
import TestSupport
import Testing

@testable import Model
@testable import Tensor

/// The comparison of two models' scores on the same masks.
@Suite struct ReferenceComparisonTests {
  private func comparison(
    _ x: [[Float]], against y: [[Float]], weights: [Float], threads: Int = 1
  ) -> ComparisonSums {
    Bench.run(threads: threads) { bench in
      func matrix(_ rows: [[Float]]) -> Matrix {
        let matrix = bench.zeros(rows.count, rows[0].count)
        for (row, values) in rows.enumerated() { for (i, value) in values.enumerated() { matrix[row][i] = value } }
        return matrix
      }
      // Slices with a start index above zero.
      return ScoreComparison.evaluate(
        matrix(x), against: matrix(y), labels: ([7] + x.map { _ in 1 })[1...], weights: ([7] + weights)[1...],
        bench.context.pool)
    }
  }

  /// KL((¼, ½, ¼) ‖ (½, ¼, ¼)) = ¼·log ½ + ½·log 2 = ¼·log 2. Scores are logarithms of probabilities up to a constant.
  @Test func goldenValues() {
    let (half, quarter) = (Float(log(0.5)), Float(log(0.25)))
    let sums = comparison(
      [[half + 5, quarter + 5, quarter + 5], [1, 3, 2], [0, 9, 9]],
      against: [[quarter, half, quarter], [1, 3, 2], [9, 0, 0]], weights: [0.5, 2, 0])
    #expect(abs(sums.divergence - 0.5 * 0.25 * log(2)) < 1e-7)
    // The first row's best answers differ, the second's are equal, the third has no weight.
    #expect(sums.equal == 2 && sums.loss.weight == 2.5 && sums.loss.count == 2)
    // The label, 1, has the reference's highest score in both.
    #expect(sums.loss.correct == 2.5)
    let second = log(exp(1.0) + exp(3) + exp(2)) - 3
    #expect(abs(sums.loss.loss - (0.5 * log(2) + 2 * second)) < 1e-6)
    let figures = ReferenceComparison(sums, pseudoLikelihood: nil)
    #expect(figures.equalFirstAnswers == 0.8 && figures.divergence == sums.divergence / 2.5)
    #expect(figures.accuracy == 1 && figures.loss == sums.loss.loss / 2.5 && figures.perplexity == exp(figures.loss))
  }

  @Test(arguments: [1, 3], [2, 9, 1003])
  func agreesWithDoublePrecision(_ threads: Int, _ vocabulary: Int) {
    Bench.run { bench in
      func rows() -> [[Float]] { (0..<7).map { _ in (0..<vocabulary).map { _ in bench.number(6) } } }
      let (x, y) = (rows(), rows())
      let weights = (0..<7).map { _ in 0.5 + bench.random.uniform() }
      var expected = 0.0
      for (row, weight) in weights.enumerated() {
        func logProbabilities(_ scores: [Float]) -> [Double] {
          let total = scores.reduce(0) { $0 + exp(Double($1)) }
          return scores.map { Double($0) - log(total) }
        }
        let (p, q) = (logProbabilities(x[row]), logProbabilities(y[row]))
        expected += Double(weight) * zip(p, q).reduce(0) { $0 + exp($1.1) * ($1.1 - $1.0) }
      }
      let sums = comparison(x, against: y, weights: weights, threads: threads)
      #expect(abs(sums.divergence - expected) < 2e-6 * expected, "\(sums.divergence) \(expected)")
    }
  }

  @Test func equalScoresDoNotDiverge() {
    Bench.run { bench in
      let x = (0..<5).map { _ in (0..<997).map { _ in bench.number(20) } }
      let sums = comparison(x, against: x, weights: [1, 1, 1, 1, 1])
      #expect(sums.divergence == 0 && sums.equal == 5)
    }
  }

  @Test func nothingMasked() {
    let none = ReferenceComparison(ComparisonSums(), pseudoLikelihood: nil)
    #expect(none.loss.isNaN && none.equalFirstAnswers.isNaN && none.divergence.isNaN)
  }

  // MARK: Models

  private static let lines: [String] = (0..<300).map { (index: Int) -> String in
    let words = ["fox", "the", "tamarwexta", "1984", "sel"]
    return (0..<1 + index * 7 % 18).map { words[($0 * 3 + index) % 5] }.joined(separator: " ")
  }

  private func model(_ precision: Precision, threads: Int = 2) throws -> DistilBertMaskedLM {
    try .fromPreset(SmallModel.micro, precision: precision, threads: threads)
  }

  @Test(arguments: Precision.allCases) func aModelAgainstItself(_ precision: Precision) throws {
    let found = try model(precision).evaluate(Self.lines, against: model(precision, threads: 1))
    let comparison = try #require(found.comparison)
    #expect(comparison.equalFirstAnswers == 1 && comparison.divergence == 0)
    #expect(comparison.loss == found.loss && comparison.accuracy == found.accuracy)
    let model = try model(precision)
    #expect(try model.evaluate(Self.lines, against: model).comparison == comparison)
  }

  /// The model's and the reference's own figures are those of two evaluations.
  @Test(arguments: [Precision.int8, .bfloat16]) func againstFloat32(_ precision: Precision) throws {
    let (reduced, exact) = (try model(precision), try model(.float32))
    let alone = try reduced.evaluate(Self.lines)
    var found = try reduced.evaluate(Self.lines, against: exact)
    let (comparison, reference) = (try #require(found.comparison), try exact.evaluate(Self.lines))
    found.comparison = nil
    #expect(found == alone)
    #expect(comparison.loss == reference.loss && comparison.accuracy == reference.accuracy)
    #expect(comparison.perplexity == reference.perplexity && comparison.pseudoLikelihood == nil)
    #expect(comparison.divergence > 0 && comparison.divergence < 0.05 && comparison.equalFirstAnswers > 0.8)
    // The same from all scores.
    let preprocessor = try #require(exact.preprocessor)
    let source = TextList(Self.lines, preprocessor: preprocessor)
    let samples = try (0..<source.count).map { try source.sample($0, epoch: 0) }
    func logProbabilities(_ model: DistilBertMaskedLM) throws -> [[Double]] {
      try model.collect(samples, batchRows: nil) { scores, n in
        let total = Softmax.logSumExp(scores, n)
        return (0..<n).map { Double(scores[$0]) - total }
      }.flatMap(\.self)
    }
    let (p, q) = (try logProbabilities(reduced), try logProbabilities(exact))
    #expect(p.count == found.maskedTokens)
    let divergence = zip(p, q).reduce(0) { sum, rows in
      sum + zip(rows.0, rows.1).reduce(0) { $0 + exp($1.1) * ($1.1 - $1.0) }
    }
    #expect(abs(comparison.divergence - divergence / Double(p.count)) < 1e-6)
    let equal = zip(p, q).count { $0.firstIndex(of: $0.max() ?? 0) == $1.firstIndex(of: $1.max() ?? 0) }
    #expect(comparison.equalFirstAnswers == Double(equal) / Double(p.count))
  }

  @Test(.enabled(if: OpenBLAS.hasMeasuredKernel, otherKernel), arguments: [1, 3, 8])
  func figuresDoNotDependOnThreads(_ threads: Int) throws {
    func evaluation(_ threads: Int) throws -> Evaluation {
      try model(.int8, threads: threads).evaluate(Self.lines, against: model(.float32, threads: 1))
    }
    #expect(try evaluation(threads) == evaluation(2))
  }

  @Test func pseudoLikelihoodsOfBoth() throws {
    let (reduced, exact) = (try model(.int8), try model(.float32))
    let source = TextList(Array(Self.lines.prefix(20)), preprocessor: try #require(exact.preprocessor))
    var samples: [Evaluation] = []
    let both = try reduced.evaluate(
      source, pseudoLikelihood: .original, against: exact, onSample: { samples.append($1) })
    #expect(try both.pseudoLikelihood == reduced.evaluate(source, pseudoLikelihood: .original).pseudoLikelihood)
    #expect(
      try both.comparison?.pseudoLikelihood == exact.evaluate(source, pseudoLikelihood: .original).pseudoLikelihood)
    #expect(samples.count == 20 && samples.allSatisfy { $0.comparison?.pseudoLikelihood?.tokens == $0.tokens - 2 })
  }

  @Test func otherVocabulariesAreRefused() throws {
    let configuration = Configuration(
      vocabularySize: 300, hiddenDim: 32, numLayers: 1, numHeads: 2, intermediateDim: 64, maxSequenceLength: 48)
    let other = try DistilBertMaskedLM(configuration: configuration)
    #expect(throws: ModelUseError.differentVocabularies(size: 256, reference: 300)) {
      try model(.float32).evaluate(["a"], against: other)
    }
  }

  /// A reference with fewer positions cannot compute a longer sample.
  @Test func samplesFitBothModels() throws {
    let configuration = Configuration(
      vocabularySize: 256, hiddenDim: 32, numLayers: 1, numHeads: 2, intermediateDim: 64, maxSequenceLength: 8)
    let other = try DistilBertMaskedLM(configuration: configuration)
    #expect(throws: PreprocessorError.self) {
      try model(.float32).evaluate([String(repeating: "the ", count: 20)], against: other)
    }
  }
}
