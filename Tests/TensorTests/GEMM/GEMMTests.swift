import TestSupport
import Testing

@testable import Tensor

@Suite struct GEMMTests {
  /// The kernels of OpenBLAS for which the statements about last bits were measured.
  static let isMeasuredKernel = OpenBLAS.kernel != .other
  static let otherKernel: Comment = "OpenBLAS computes with a kernel here whose order of additions is not known"

  /// The initial values of a product's result.
  private enum Beginning { case sum, bias }

  private func expected(
    _ a: Matrix, _ aOrientation: Orientation, _ b: Matrix, _ bOrientation: Orientation, scale: Float
  ) -> [Double] {
    let rows = aOrientation == .normal ? a.rows : a.columns
    let inner = aOrientation == .normal ? a.columns : a.rows
    let columns = bOrientation == .normal ? b.columns : b.rows
    return (0..<rows).flatMap { row in
      (0..<columns).map { column in
        var sum = 0.0
        for k in 0..<inner {
          sum +=
            Double(aOrientation == .normal ? a[row][k] : a[k][row])
            * Double(bOrientation == .normal ? b[k][column] : b[column][k])
        }
        return Double(scale) * sum
      }
    }
  }

  @Test(arguments: [1, 2, 3, 8, 16])
  func productsOfEveryShape(_ threads: Int) {
    let shapes = [(1, 1, 1), (1, 5, 3), (2, 9, 7), (12, 8, 4), (13, 17, 5), (25, 641, 3), (50, 1300, 2), (100, 3, 6)]
    Bench.run(threads: threads) { bench in
      for (rows, columns, inner) in shapes {
        for aOrientation in [Orientation.normal, .transposed] {
          for bOrientation in [Orientation.normal, .transposed] {
            // If the result is added, an element computed twice would show.
            for beginning in [nil, Beginning.sum, .bias] {
              let aShape = aOrientation == .normal ? (rows, inner) : (inner, rows)
              let bShape = bOrientation == .normal ? (inner, columns) : (columns, inner)
              let a = bench.matrix(aShape.0, aShape.1, stride: aShape.1 + 3)
              let b = bench.matrix(bShape.0, bShape.1, stride: bShape.1 + 1)
              let c = bench.matrix(rows, columns, stride: columns + 2)
              let gap = c[0][columns]
              let bias = bench.matrix(1, columns)
              let start: [Float] =
                switch beginning {
                case .sum: c.array
                case .bias: (0..<rows).flatMap { _ in bias.array }
                case nil: [Float](repeating: 0, count: rows * columns)
                }
              let result = zip(start, expected(a, aOrientation, b, bOrientation, scale: 0.5)).map { Double($0) + $1 }
              GEMM.multiply(
                a, aOrientation, b, bOrientation, into: c, adding: beginning == .sum,
                bias: beginning == .bias ? bias.start : nil, scale: 0.5, on: bench.context.pool)
              #expect(
                zip(c.array, result).allSatisfy { abs(Double($0) - $1) < 1e-5 }, "\(rows) × \(columns) × \(inner)")
              #expect(c[0][columns] == gap)
            }
          }
        }
      }
    }
  }

  @Test func nothingToAddUp() {
    Bench.run { bench in
      let c = bench.matrix(3, 4)
      let before = c.array
      GEMM.multiply(bench.matrix(3, 0), .normal, bench.matrix(0, 4), .normal, into: c, adding: true)
      #expect(c.array == before)
      GEMM.multiply(bench.matrix(3, 0), .normal, bench.matrix(0, 4), .normal, into: c)
      #expect(c.array.allSatisfy { $0 == 0 })
      GEMM.multiply(
        bench.matrix(0, 2), .normal, bench.matrix(2, 4), .normal, into: bench.matrix(0, 4), on: bench.context.pool)
    }
  }

  /// More threads than OpenBLAS has buffers.
  @Test func manyThreadsAtOnce() {
    Bench.run(threads: 96) { bench in
      let (a, b, c) = (bench.matrix(3000, 64), bench.matrix(64, 64), bench.matrix(3000, 64))
      let result = expected(a, .normal, b, .transposed, scale: 1)
      for _ in 0..<5 { GEMM.multiply(a, .normal, b, .transposed, into: c, on: bench.context.pool) }
      #expect(zip(c.array, result).allSatisfy { abs(Double($0) - $1) < 1e-4 })
    }
  }
}
