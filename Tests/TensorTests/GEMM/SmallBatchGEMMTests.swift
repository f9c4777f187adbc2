import CKernels
import TestSupport
import Testing

@testable import Tensor

@Suite struct SmallBatchGEMMTests {
  static let instructionSets = ElementwiseTests.instructionSets.filter { $0 != MLM_BASELINE.rawValue }

  private func product(
    _ set: UInt32, _ order: mlm_summation_order, _ x: Matrix, _ w: Matrix, isPacked: Bool = false, bias: Matrix?,
    into y: Matrix,
    _ bench: Bench, cuts: [Int] = []
  ) {
    var gemm = mlm_small_batch_gemm(
      x: x.start, x_stride: x.stride, rows: x.rows, w: w.start, w_stride: w.stride, columns: w.rows, inner: w.columns,
      bias: bias.map { UnsafePointer($0.start) }, y: y.start, y_stride: y.stride, order: order,
      is_packed: isPacked ? 1 : 0)
    let set = mlm_instruction_set(rawValue: set)
    let scratch = bench.context.arena.floats(mlm_small_batch_scratch(set, &gemm))
    mlm_small_batch_pack(set, &gemm, scratch)
    for (begin, end) in zip([0] + cuts, cuts + [w.rows]) {
      mlm_small_batch_multiply(set, &gemm, begin, end, nil, scratch)
    }
  }

  private static let orders = [
    mlm_summation_order(block: 448, multiple: 16, splits_edges: 0),
    mlm_summation_order(block: 320, multiple: 8, splits_edges: 1),
  ]

  /// The scalar definition is correct and follows the order of additions: every number of rows in a tile, columns and
  /// depths that do not fill a register, strides, with and without bias.
  @Test func scalarDefinition() {
    Bench.run { bench in
      for (rows, columns, inner) in [(1, 1, 1), (13, 37, 21), (13, 33, 333), (7, 48, 700)] {
        for order in Self.orders {
          let x = bench.matrix(rows, inner, stride: inner + 3)
          let w = bench.matrix(columns, inner, stride: inner + 1)
          let y = bench.matrix(rows, columns, stride: columns + 2)
          let bias = columns % 2 == 0 ? nil : bench.matrix(1, columns)
          let gap = y[0][columns]
          product(MLM_BASELINE.rawValue, order, x, w, bias: bias, into: y, bench, cuts: columns > 32 ? [8, 24] : [])
          for row in 0..<rows {
            for column in 0..<columns {
              let exact = (0..<inner).reduce(bias.map { Double($0[0][column]) } ?? 0) {
                $0 + Double(x[row][$1]) * Double(w[column][$1])
              }
              // Rounding grows with the sums.
              guard abs(Double(y[row][column]) - exact) < 2e-6 * max(10, abs(exact)) else {
                Issue.record(
                  "\(rows) × \(columns) × \(inner), \(order): \(row), \(column): \(y[row][column]), \(exact)")
                return
              }
            }
          }
          #expect(y[0][columns] == gap)
        }
      }
    }
  }

  /// Equal to the scalar definition to the last bit, without writes between the rows: every number of rows in a tile,
  /// columns and depths that do not fill a register, cuts, strides, with and without bias.
  @Test(.enabled(if: SmallBatchGEMM.isAvailable, "the processor has no AVX2"), arguments: instructionSets)
  func productsOfEveryShape(_ set: UInt32) {
    let shapes =
      (1...30).map { ($0, 37, 21) } + [(57, 16, 4), (3, 1, 1), (2, 640, 700), (13, 33, 333), (61, 100, 0 + 641)]
    Bench.run { bench in
      for (rows, columns, inner) in shapes {
        for order in Self.orders {
          let x = bench.matrix(rows, inner, stride: inner + 3)
          let w = bench.matrix(columns, inner, stride: inner + 1)
          let y = bench.matrix(rows, columns, stride: columns + 2)
          let expected = bench.zeros(rows, columns)
          let bias = columns % 2 == 0 ? nil : bench.matrix(1, columns)
          let gap = y[0][columns]
          let cuts = set == MLM_AVX2.rawValue ? [8, 24] : [16, 32]
          product(MLM_BASELINE.rawValue, order, x, w, bias: bias, into: expected, bench)
          product(set, order, x, w, bias: bias, into: y, bench, cuts: columns > 32 ? cuts : [])
          let different = (0..<rows).filter { row in
            (0..<columns).contains { y[row][$0].bitPattern != expected[row][$0].bitPattern }
          }
          #expect(different.isEmpty, "\(rows) × \(columns) × \(inner), \(order): row \(different.first ?? 0)")
          #expect(y[0][columns] == gap)
        }
      }
    }
  }

  /// Equal to the last bit with packed weights: every number of rows in a tile and of tiles, panels with and without
  /// edges, cuts.
  @Test(.enabled(if: SmallBatchGEMM.supportsPackedWeights, "the processor has no AVX2, or more than that"))
  func packedWeightsGiveTheSame() {
    let shapes =
      (1...50).map { ($0, 48, 21) } + [
        (5, 16, 4), (3, 16, 1), (21, 768, 768), (13, 640, 700), (19, 336, 330), (24, 1008, 333), (23, 3072, 64),
        (61, 112, 641), (149, 96, 1100),
      ]
    Bench.run { bench in
      for (rows, columns, inner) in shapes {
        let x = bench.matrix(rows, inner, stride: inner + 3)
        let w = bench.matrix(columns, inner, stride: inner + 1)
        let packed = bench.matrix(columns, inner)
        SmallBatchGEMM.pack(w, into: packed, on: bench.context.pool)
        let bias = columns % 48 == 0 ? nil : bench.matrix(1, columns)
        for order in Self.orders {
          let expected = bench.zeros(rows, columns)
          let y = bench.matrix(rows, columns, stride: columns + 2)
          let gap = y[0][columns]
          product(MLM_AVX2.rawValue, order, x, w, bias: bias, into: expected, bench)
          product(
            MLM_AVX2.rawValue, order, x, packed, isPacked: true, bias: bias, into: y, bench,
            cuts: columns > 32 ? [16, 32] : [])
          let different = (0..<rows).filter { row in
            (0..<columns).contains { y[row][$0].bitPattern != expected[row][$0].bitPattern }
          }
          #expect(different.isEmpty, "\(rows) × \(columns) × \(inner), \(order): row \(different.first ?? 0)")
          #expect(y[0][columns] == gap)
        }
      }
    }
  }

  /// Weights in a file begin anywhere in a cache line. Neither the alignment nor neighboring numbers change the result.
  @Test(.enabled(if: SmallBatchGEMM.isAvailable, "the processor has no AVX2"), arguments: instructionSets)
  func placesOfWeightsInTheirLines(_ set: UInt32) {
    let order = mlm_summation_order(block: 320, multiple: 16, splits_edges: 0)
    Bench.run { bench in
      let shapes = [(1, 48, 768), (3, 48, 64), (8, 50, 768), (21, 64, 768), (21, 40, 3072), (30, 32, 336)]
      for (rows, columns, inner) in shapes {
        let (x, w) = (bench.matrix(rows, inner), bench.matrix(columns, inner))
        let expected = bench.zeros(rows, columns)
        product(set, order, x, w, bias: nil, into: expected, bench)
        for offset in [1, 2, 6, 10, 15] {
          let memory = bench.matrix(1, w.count + 32)
          memory.start.update(repeating: .nan, count: memory.count)
          let moved = Matrix(memory.start + offset, rows: columns, columns: inner)
          moved.copy(from: w)
          let y = bench.zeros(rows, columns)
          product(set, order, x, moved, bias: nil, into: y, bench)
          #expect(y.bits == expected.bits, "\(rows) × \(columns) × \(inner), \(offset) numbers into a line")
        }
      }
    }
  }

  /// Equal to OpenBLAS' result for the same rows among many, to the last bit: the result for a text does not depend on
  /// the implementation.
  @Test(.enabled(if: GEMMTests.isMeasuredKernel, GEMMTests.otherKernel))
  func lastBitsAreThoseOfOpenBLAS() {
    // Panels and blocks of every kind: one, two, halves with an odd and an even number of eights, uneven halves.
    let shapes = [
      (128, 128), (512, 128), (768, 768), (3072, 768), (768, 3072), (328, 64), (656, 100), (1000, 960), (1008, 704),
      (640, 333), (2048, 640), (1003, 128), (333, 64),
    ]
    Bench.run { bench in
      for (columns, inner) in shapes {
        let (x, w, bias) = (bench.matrix(240, inner), bench.matrix(columns, inner), bench.matrix(1, columns).start)
        let (many, few) = (bench.matrix(240, columns), bench.matrix(240, columns))
        GEMM.multiply(x, .normal, w, .transposed, into: many, bias: bias, on: bench.context.pool)
        // The last rows of a part may not fill a tile.
        for rows in [0..<12, 12..<36, 36..<72, 72..<75, 84..<120, 120..<240] {
          SmallBatchGEMM.multiply(x.rows(rows), w, bias: bias, into: few.rows(rows), bench.context)
        }
        SmallBatchGEMM.multiply(x.rows(72..<84), w, bias: bias, into: few.rows(72..<84), bench.context)
        // Only the first rows of a tile.
        for rows in [24..<25, 36..<38, 48..<52] {
          SmallBatchGEMM.multiply(x.rows(rows), w, bias: bias, into: few.rows(rows), bench.context)
        }
        if SmallBatchGEMM.canPack(w) {
          let packed = bench.matrix(columns, inner)
          SmallBatchGEMM.pack(w, into: packed, on: bench.context.pool)
          for rows in [108..<120, 132..<153, 168..<169] {
            SmallBatchGEMM.multiply(
              x.rows(rows), packed, isPacked: true, bias: bias, into: few.rows(rows), bench.context)
          }
        }
        // Count the differences, as the framework would take minutes to compare unequal arrays of this size.
        let different = zip(few.bits, many.bits).enumerated().filter { $1.0 != $1.1 }.map(\.offset)
        let first = different.first.map { "row \($0 / columns), column \($0 % columns)" } ?? ""
        #expect(different.count == 0, "\(columns) × \(inner), first at \(first)")
      }
    }
  }

  /// The result is the same to the last bit, regardless of which worker computes which columns.
  @Test(.enabled(if: SmallBatchGEMM.isAvailable, "the processor has no AVX2"), arguments: [2, 3, 5])
  func lastBitsDoNotDependOnThreads(_ threads: Int) {
    Bench.run { one in
      Bench.run(threads: threads) { many in
        for (rows, columns, inner) in [(1, 768, 768), (6, 1000, 128), (21, 768, 3072), (30, 37, 64), (100, 512, 128)] {
          let (x, w, bias) = (one.matrix(rows, inner), one.matrix(columns, inner), one.matrix(1, columns))
          let (expected, y) = (one.zeros(rows, columns), many.zeros(rows, columns))
          SmallBatchGEMM.multiply(x, w, bias: bias.start, into: expected, one.context)
          for _ in 0..<5 {
            y.setToZero()
            SmallBatchGEMM.multiply(x, w, bias: bias.start, into: y, following: w, many.context)
            #expect(y.bits == expected.bits, "\(rows) × \(columns) × \(inner)")
          }
        }
      }
    }
  }

  /// More rows than pass through the weights together.
  @Test(.enabled(if: GEMMTests.isMeasuredKernel, GEMMTests.otherKernel))
  func lastBitsOfManyRows() {
    Bench.run { bench in
      let (x, w) = (bench.matrix(1100, 400), bench.matrix(328, 400))
      let (many, few) = (bench.matrix(1100, 328), bench.matrix(1100, 328))
      GEMM.multiply(x, .normal, w, .transposed, into: many)
      SmallBatchGEMM.multiply(x.rows(0..<1092), w, bias: nil, into: few.rows(0..<1092), bench.context)
      let different = (0..<1092).filter { row in (0..<328).contains { few[row][$0] != many[row][$0] } }
      #expect(different.isEmpty, "\(different.count) rows, the first \(different.first ?? 0)")
    }
  }
}
