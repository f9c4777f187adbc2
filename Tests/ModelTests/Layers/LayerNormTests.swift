import TestSupport
import Testing

@testable import Model
@testable import Tensor

@Suite struct LayerNormTests {
  @Test(arguments: [1, 5, 20], [2, 3, 8, 13, 37])
  func forwardAndBackward(_ rows: Int, _ width: Int) throws {
    for threads in [1, 3] {
      try Bench.run(threads: threads) { bench in
        let norm = try bench.norm(width)
        let x = bench.matrix(rows, width, scale: 2)
        // Rows of two or three numbers can be nearly equal: a step of 1e-2 would be too large.
        for row in 0..<rows { x[row][0] += 3 }
        let y = bench.matrix(rows, width)
        let memory = norm.forward(x, into: y, bench.context)
        #expect(zip(y.array, expected(x, norm)).allSatisfy { abs(Double($0) - $1) < 1e-5 })

        let dy = bench.matrix(rows, width)
        let dx = bench.copy(dy)
        norm.backward(dx, memory, into: dx, bench.context)
        func loss() -> Double {
          bench.context.temporary { _ = norm.forward(x, into: y, bench.context) }
          return weighted(y, dy)
        }
        expectDifferences("x", of: x, are: dx, loss: loss)
        try expectDifferences(of: norm.gain, loss: loss)
        try expectDifferences(of: norm.bias, loss: loss)
      }
    }
  }

  @Test func residualIsAddedInPlace() throws {
    try Bench.run { bench in
      let norm = try bench.norm(11)
      let (x, residual) = (bench.matrix(4, 11), bench.matrix(4, 11))
      let sum = bench.copy(x)
      for row in 0..<4 { Elementwise.add(residual[row], to: sum[row], 11) }
      let (y, expected) = (bench.matrix(4, 11), bench.matrix(4, 11))
      let memory = norm.forward(x, adding: residual, into: y, bench.context)
      _ = norm.forward(sum, into: expected, bench.context)
      #expect(y.bits == expected.bits && x.bits == sum.bits && memory.input.start == x.start)
    }
  }

  /// A row of equal numbers, and one far from zero.
  @Test func rowsWithoutVariance() throws {
    try Bench.run { bench in
      let norm = try bench.norm(9, epsilon: 1e-12)
      let x = bench.matrix(2, 9)
      for column in 0..<9 {
        x[0][column] = 0.1
        x[1][column] += 1000
      }
      let y = bench.matrix(2, 9)
      _ = norm.forward(x, into: y, bench.context)
      #expect(y.array.allSatisfy { $0.isFinite })
      #expect(zip(y.array.suffix(9), expected(x, norm).suffix(9)).allSatisfy { abs(Double($0) - $1) < 1e-3 })
    }
  }

  @Test func gradientsDoNotDependOnThreads() throws {
    func gradients(_ threads: Int) throws -> [UInt32] {
      try Bench.run(threads: threads) { bench in
        let norm = try bench.norm(100)
        let (x, dy) = (bench.matrix(50, 100), bench.matrix(50, 100))
        let memory = norm.forward(x, into: bench.matrix(50, 100), bench.context)
        norm.backward(dy, memory, into: dy, bench.context)
        return try dy.bits + #require(norm.gain.gradient).bits + #require(norm.bias.gradient).bits
      }
    }
    #expect(try gradients(2) == gradients(1))
    #expect(try gradients(3) == gradients(1))
  }

  private func expected(_ x: Matrix, _ norm: LayerNorm) -> [Double] {
    x.array.isEmpty
      ? []
      : (0..<x.rows).flatMap { row -> [Double] in
        let values = (0..<x.columns).map { Double(x[row][$0]) }
        let mean = values.reduce(0, +) / Double(x.columns)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.columns)
        let scale = 1 / (variance + Double(norm.epsilon)).squareRoot()
        return (0..<x.columns).map {
          (values[$0] - mean) * scale * Double(norm.gain.values[$0]) + Double(norm.bias.values[$0])
        }
      }
  }
}
