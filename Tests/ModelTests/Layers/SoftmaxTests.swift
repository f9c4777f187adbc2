import Glibc
import TestSupport
import Testing

@testable import Model
@testable import Tensor

@Suite struct SoftmaxTests {
  @Test(arguments: [1, 2, 7, 8, 9, 512, 513, 5000, 30_522])
  func probabilitiesAndLogSum(_ n: Int) {
    Bench.run { bench in
      let x = bench.matrix(1, n, scale: 12)
      x[0][n / 2] = 15
      let exact = x.array.map { Glibc.exp(Double($0) - 15) }
      let total = exact.reduce(0, +)
      #expect(abs(Softmax.logSumExp(x[0], n) - (15 + Glibc.log(total))) < 3e-7)
      #expect(Elementwise.maximum(x[0], n) == 15)
      Softmax.apply(x[0], n)
      // Scores are up to 27 apart: their difference is rounded to 10⁻⁶ before exp.
      #expect(zip(x.array, exact).allSatisfy { abs(Double($0) - $1 / total) < 1.5e-6 * $1 / total + 1e-37 })
    }
  }

  @Test func largeScoresDoNotOverflow() {
    Bench.run { bench in
      let x = bench.matrix(1, 9)
      for column in 0..<9 { x[0][column] = column == 4 ? 3e38 : -3e38 }
      #expect(Softmax.logSumExp(x[0], 9) == Double(Float(3e38)))
      Softmax.apply(x[0], 9)
      #expect(x[0][4] == 1 && x.array.filter { $0 > 1e-30 }.count == 1)
      Softmax.apply(x[0], 0)
    }
  }

  @Test(arguments: [1, 5, 8, 19])
  func backward(_ n: Int) {
    Bench.run { bench in
      let (x, dy) = (bench.matrix(1, n, scale: 2), bench.matrix(1, n))
      let (y, dx) = (bench.copy(x), bench.copy(dy))
      Softmax.apply(y[0], n)
      Softmax.backward(dx[0], p: y[0], n)
      expectDifferences("x", of: x, are: dx) {
        y.copy(from: x)
        Softmax.apply(y[0], n)
        return weighted(y, dy)
      }
    }
  }

  /// One NaN score, in the groups of eight or after them, alone or among others, makes the row NaN.
  @Test(arguments: [(1, 0), (8, 3), (9, 8), (700, 5), (700, 699)])
  func notANumberIsNotHidden(_ n: Int, _ index: Int) {
    Bench.run { bench in
      let x = bench.matrix(1, n)
      x[0][index] = .nan
      #expect(Softmax.logSumExp(x[0], n).isNaN)
      Softmax.apply(x[0], n)
      #expect(x.array.allSatisfy { $0.isNaN })
    }
  }
}
