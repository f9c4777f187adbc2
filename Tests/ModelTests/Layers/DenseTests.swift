import TestSupport
import Testing

@testable import Model
@testable import Tensor

@Suite struct DenseTests {
  @Test(arguments: [(1, 1, 1), (1, 9, 5), (3, 8, 7), (13, 5, 17)], [1, 2, 3])
  func forwardAndBackward(_ shape: (rows: Int, input: Int, output: Int), _ threads: Int) throws {
    try Bench.run(threads: threads) { bench in
      let dense = try bench.dense(shape.output, shape.input)
      let x = bench.matrix(shape.rows, shape.input)
      let y = bench.matrix(shape.rows, shape.output)
      dense.forward(x, into: y, bench.context)
      for row in 0..<shape.rows {
        for out in 0..<shape.output {
          var sum = Double(dense.bias.values[out])
          for k in 0..<shape.input { sum += Double(x[row][k]) * Double(dense.weight.matrix[out][k]) }
          #expect(abs(Double(y[row][out]) - sum) < 1e-5)
        }
      }

      let dy = bench.matrix(shape.rows, shape.output)
      let dx = bench.matrix(shape.rows, shape.input)
      dense.backward(dy, x: x, into: dx, bench.context)
      func loss() -> Double {
        dense.forward(x, into: y, bench.context)
        return weighted(y, dy)
      }
      expectDifferences("x", of: x, are: dx, loss: loss)
      try expectDifferences(of: dense.weight, loss: loss)
      try expectDifferences(of: dense.bias, loss: loss)

      // Parameter gradients are accumulated; the input's gradient is written, or added if requested.
      let once = try #require(dense.weight.gradient).array
      let written = dx.array
      dense.backward(dy, x: x, into: dx, adding: true, bench.context)
      #expect(largestDifference(dx.array, written.map { 2 * $0 }) < 1e-5)
      #expect(largestDifference(try #require(dense.weight.gradient).array, once.map { 2 * $0 }) < 1e-4)

      dense.weight.isTrainable = false
      dense.bias.isTrainable = false
      dense.backward(dy, x: x, into: nil, bench.context)
      #expect(dense.weight.gradient == nil)
    }
  }

  /// The guarantee for rows at multiples of 12 (see `GEMM`), for the shapes of inference.
  @Test(
    .enabled(
      if: OpenBLAS.kernel != .other, "OpenBLAS computes with a kernel here whose order of additions is not known"),
    arguments: [2, 3, 8, 16])
  func lastBitsDoNotDependOnThreads(_ threads: Int) {
    let shapes = [
      (5, 640, 64), (20, 1003, 128), (47, 3072, 128), (12, 128, 128), (24, 512, 128), (36, 3072, 768), (120, 1003, 128),
      (132, 640, 128), (516, 512, 128), (516, 128, 512),
    ]
    for (rows, columns, inner) in shapes {
      func product(_ threads: Int) -> [UInt32] {
        Bench.run(threads: threads) { bench in
          let (a, b, c) = (bench.matrix(rows, inner), bench.matrix(columns, inner), bench.matrix(rows, columns))
          // The product of a dense layer.
          let bias = bench.matrix(1, columns)
          Dense.forward(a, weight: b, bias: bias.start, into: c, bench.context)
          return c.bits
        }
      }
      // Keeps the arrays out of the failure message.
      let isSame = product(threads) == product(1)
      #expect(isSame, "\(rows) × \(columns) × \(inner)")
    }
  }
}
