import Glibc
import TestSupport
import Testing

@testable import Model
@testable import Tensor

@Suite struct CrossEntropyTests {
  @Test(arguments: [1, 2, 3], [2, 9, 1003])
  func sumsAndGradient(_ threads: Int, _ vocabulary: Int) {
    Bench.run(threads: threads) { bench in
      let rows = 6
      let x = bench.matrix(rows, vocabulary, scale: 4)
      let labels = (0..<rows).map { Int32($0 * 7 % vocabulary) }
      let weights: [Float] = [1, 0, 0.5, 2, 1, 0.25]
      x[3][Int(labels[3])] = 9
      // Slices with a start index above zero.
      func evaluate(_ x: Matrix, _ factor: Float?) -> LossSums {
        CrossEntropy.evaluate(
          x, labels: ([7, 7] + labels)[2...], weights: ([7, 7] + weights)[2...], gradientFactor: factor,
          bench.context.pool)
      }
      var (loss, correct) = (0.0, 0.0)
      var gradient: [Double] = []
      for row in 0..<rows {
        let scores = (0..<vocabulary).map { Double(x[row][$0]) }
        let total = scores.reduce(0) { $0 + Glibc.exp($1) }
        let weight = Double(weights[row])
        loss += weight * (Glibc.log(total) - scores[Int(labels[row])])
        if scores.max() == scores[Int(labels[row])] { correct += weight }
        for id in 0..<vocabulary {
          gradient.append(0.5 * weight * (Glibc.exp(scores[id]) / total - (id == Int(labels[row]) ? 1 : 0)))
        }
      }
      let before = x.bits
      let sums = evaluate(x, nil)
      #expect(x.bits == before)
      #expect(abs(sums.loss - loss) < 1e-6 * loss && sums.correct == correct && sums.weight == 4.75 && sums.count == 5)
      #expect(abs(sums.meanLoss - loss / 4.75) < 1e-6 && sums.accuracy == correct / 4.75)
      #expect(evaluate(x, 0.5) == sums)
      #expect(zip(x.array, gradient).allSatisfy { abs(Double($0) - $1) < 1e-6 })
    }
  }

  @Test func gradientByDifferences() {
    Bench.run { bench in
      let x = bench.matrix(3, 11, scale: 2)
      let dx = bench.copy(x)
      func evaluate(_ x: Matrix, _ factor: Float?) -> Double {
        CrossEntropy.evaluate(x, labels: [0, 10, 4], weights: [1, 2, 0.5], gradientFactor: factor, bench.context.pool)
          .loss
      }
      _ = evaluate(dx, 1)
      expectDifferences("x", of: x, are: dx) { evaluate(x, nil) }
    }
  }

  /// The first of equal scores counts as the prediction.
  @Test func tiesGoToTheLowerID() {
    Bench.run { bench in
      let x = bench.zeros(2, 20)
      for row in 0..<2 { (x[row][5], x[row][17]) = (3, 3) }
      let sums = CrossEntropy.evaluate(x, labels: [5, 17], weights: [1, 1], .serial)
      #expect(sums.correct == 1)
      #expect((0..<20).filter { CrossEntropy.isFirstMaximum($0, x[0], 20) } == [5])
    }
  }

  /// A NaN score at any index makes the loss NaN.
  @Test(arguments: [0, 6, 7, 8, 16])
  func notANumberShows(_ index: Int) {
    Bench.run { bench in
      let x = bench.matrix(2, 17)
      x[1][index] = .nan
      let sums = CrossEntropy.evaluate(x, labels: [3, 7], weights: [1, 1], gradientFactor: 1, .serial)
      #expect(sums.loss.isNaN)
      #expect(x.array.prefix(17).allSatisfy { $0.isFinite } && x.array.suffix(17).allSatisfy { $0.isNaN })
    }
  }

  @Test func nothingMasked() {
    Bench.run { bench in
      let sums = CrossEntropy.evaluate(bench.matrix(0, 5), labels: [], weights: [], gradientFactor: 1, .serial)
      #expect(sums == LossSums() && sums.meanLoss.isNaN && sums.accuracy.isNaN)
    }
  }
}
