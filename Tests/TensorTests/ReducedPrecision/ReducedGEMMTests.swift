import CKernels
import TestSupport
import Testing

@testable import Tensor

/// The kernels of products in reduced precision that this processor supports, compared with the scalar definition.
@Suite struct ReducedGEMMTests {
  struct Kernel: CustomTestStringConvertible {
    let format, instructions: UInt32

    var code: mlm_format { mlm_format(rawValue: format) }
    var set: mlm_reduced_instructions { mlm_reduced_instructions(rawValue: instructions) }
    var isInt8: Bool { code == MLM_INT8 }
    /// AMX adds up bfloat16 in another order.
    var isExact: Bool { isInt8 || set != MLM_REDUCED_AMX }
    var isSupported: Bool { mlm_supports_reduced(code, set) != 0 }
    var definition: Kernel { Kernel(format: format, instructions: MLM_REDUCED_SCALAR.rawValue) }
    var testDescription: String { "\(isInt8 ? "int8" : "bfloat16") \(String(cString: mlm_reduced_name(code, set)))" }
  }

  private static let all = [MLM_INT8, MLM_BFLOAT16].flatMap { format in
    (MLM_REDUCED_AVX2.rawValue..<MLM_REDUCED_INSTRUCTIONS.rawValue).map {
      Kernel(format: format.rawValue, instructions: $0)
    }
  }
  .filter { !$0.testDescription.hasSuffix(" none") }
  static let kernels = all.filter(\.isSupported)
  static let int8Kernels = kernels.filter(\.isInt8)
  static let definitions = [MLM_INT8, MLM_BFLOAT16].map { Kernel(format: $0.rawValue, instructions: 0) }
  private static let missing = all.filter { !$0.isSupported }.map(\.testDescription).joined(separator: ", ")

  /// Names the kernels that the other tests do not cover here.
  @Test(.enabled(if: missing.isEmpty, "the processor does not support \(missing)"))
  func everyKernelIsTested() { #expect(Self.kernels.count == Self.all.count) }

  // MARK: products

  /// Rows of W in reduced precision, row-major.
  private struct Weights {
    let start: UnsafeMutableRawPointer
    let columns, inner: Int
    /// One number per column, padded to whole panels.
    let scales: UnsafeMutablePointer<Float>
  }

  private static func panels(_ columns: Int) -> Int { (columns + MLM_REDUCED_PANEL - 1) / MLM_REDUCED_PANEL }

  private static func size(_ kernel: Kernel) -> Int { kernel.isInt8 ? 1 : 2 }

  private func narrowed(_ w: Matrix, for kernel: Kernel, _ bench: Bench) -> Weights {
    let bytes = w.columns * Self.size(kernel)
    let start = UnsafeMutableRawPointer(bench.context.arena.floats((w.rows * bytes + 3) / 4))
    let scales = bench.zeros(1, Self.panels(w.rows) * MLM_REDUCED_PANEL).start
    for row in 0..<w.rows {
      let to = start + row * bytes
      if kernel.isInt8 {
        scales[row] = mlm_quantize_int8(w[row], w.columns, to.assumingMemoryBound(to: Int8.self))
      } else {
        mlm_round_bfloat16(w[row], w.columns, to.assumingMemoryBound(to: UInt16.self))
      }
    }
    return Weights(start: start, columns: w.rows, inner: w.columns, scales: scales)
  }

  /// y = x·Wᵀ + bias, or y += x·Wᵀ, in parts that end at `cuts`.
  private func multiply(
    _ kernel: Kernel, _ x: Matrix, _ w: Weights, bias: Matrix? = nil, adds: Bool = false, into y: Matrix,
    cuts: [Int] = [], _ bench: Bench
  ) {
    bench.context.temporary {
      let (code, set, arena) = (kernel.code, kernel.set, bench.context.arena)
      // The numbers after a row of x and after the last row are arbitrary, NaN for example.
      let stride = mlm_narrowed_stride(code, set, x.columns)
      let bytes = mlm_narrowed_rows(x.rows) * stride
      let narrowed = UnsafeMutableRawPointer(arena.floats(bytes / 4))
      narrowed.initializeMemory(as: UInt8.self, repeating: 0xFF, count: bytes)
      let readings = UnsafeMutableRawPointer(arena.floats(2 * x.rows))
        .bindMemory(to: mlm_int8_row.self, capacity: x.rows)
      for row in 0..<x.rows { readings[row] = mlm_narrow(code, set, x[row], x.columns, narrowed + row * stride) }

      let panels = Self.panels(w.columns), panelBytes = mlm_reduced_panel_bytes(code, w.inner)
      let packed = UnsafeMutableRawPointer(arena.floats(panels * panelBytes / 4))
      let sums = UnsafeMutableRawPointer(arena.floats(panels * MLM_REDUCED_PANEL))
        .bindMemory(to: Int32.self, capacity: panels * MLM_REDUCED_PANEL)
      let rowBytes = w.inner * Self.size(kernel)
      for panel in 0..<panels {
        let column = panel * MLM_REDUCED_PANEL
        mlm_pack_panel(
          code, set, w.start + column * rowBytes, rowBytes, min(MLM_REDUCED_PANEL, w.columns - column), w.inner,
          packed + panel * panelBytes, sums + column)
      }

      var gemm = mlm_reduced_gemm(
        format: code, instructions: set, x: narrowed, x_stride: stride, x_rows: readings, rows: x.rows, w: packed,
        w_scale: w.scales, w_sum: sums, columns: w.columns, inner: w.inner,
        bias: bias.map { UnsafePointer($0.start) }, adds: adds ? 1 : 0, y: y.start, y_stride: y.stride)
      for (begin, end) in zip([0] + cuts, cuts + [w.columns]) { mlm_reduced_multiply(&gemm, begin, end, nil) }
    }
  }

  /// A random product, with the result of the scalar definition.
  private struct Case {
    let x: Matrix, w: Weights
    let bias: Matrix?
    let adds: Bool
    /// The result before and after the product. The numbers between the rows must stay.
    let y, expected: Matrix
  }

  private func makeCase(
    _ kernel: Kernel, _ rows: Int, _ columns: Int, _ inner: Int, hasBias: Bool = true, adds: Bool = false,
    changing change: (Matrix) -> Void = { _ in }, _ bench: Bench
  ) -> Case {
    let x = bench.matrix(rows, inner, stride: inner + 3)
    change(x)
    let w = narrowed(bench.matrix(columns, inner), for: kernel, bench)
    let bias = hasBias ? bench.matrix(1, columns) : nil
    let y = bench.matrix(rows, columns, stride: columns + 2), expected = bench.copy(y)
    multiply(kernel.definition, x, w, bias: bias, adds: adds, into: expected, bench)
    return Case(x: x, w: w, bias: bias, adds: adds, y: y, expected: expected)
  }

  /// Computes the product of a case and compares it. The message names the first difference.
  private func check(
    _ kernel: Kernel, _ c: Case, cuts: [Int] = [], _ bench: Bench, at location: SourceLocation = #_sourceLocation
  ) {
    let gaps = (0..<c.y.rows - 1).map { c.y[$0][c.y.columns] }
    multiply(kernel, c.x, c.w, bias: c.bias, adds: c.adds, into: c.y, cuts: cuts, bench)
    let difference = firstDifference(kernel, c, bench)
    #expect(
      difference == nil, "\(c.x.rows) × \(c.w.columns) × \(c.w.inner), adds: \(c.adds)", sourceLocation: location)
    #expect(gaps == (0..<c.y.rows - 1).map { c.y[$0][c.y.columns] }, sourceLocation: location)
  }

  private func firstDifference(_ kernel: Kernel, _ c: Case, _ bench: Bench) -> String? {
    for row in 0..<c.y.rows {
      let x = kernel.isExact ? [] : rounded(c.x[row], c.w.inner)
      for column in 0..<c.y.columns {
        let (y, expected) = (c.y[row][column], c.expected[row][column])
        if y.bitPattern == expected.bitPattern || y.isNaN && expected.isNaN { continue }
        if !kernel.isExact, abs(Double(y) - Double(expected)) <= bound(x, c, row, column) { continue }
        return "row \(row), column \(column): \(y), not \(expected)"
      }
    }
    return nil
  }

  /// What two orders of additions in bfloat16 can differ by: each addition rounds at most Σ |x·w|, and the last one y.
  private func bound(_ x: [Double], _ c: Case, _ row: Int, _ column: Int) -> Double {
    let magnitude = zip(x, widened(c.w, column)).reduce(0) { $0 + abs($1.0 * $1.1) }
    return Double(Float.ulpOfOne) * (Double(x.count) * magnitude + abs(Double(c.expected[row][column])))
  }

  /// A column of bfloat16 weights: a row of W.
  private func widened(_ w: Weights, _ column: Int) -> [Double] {
    let numbers = w.start.assumingMemoryBound(to: UInt16.self) + column * w.inner
    return (0..<w.inner).map { widened(numbers[$0]) }
  }

  private func rounded(_ x: UnsafePointer<Float>, _ count: Int) -> [Double] {
    var numbers = [UInt16](repeating: 0, count: count)
    mlm_round_bfloat16(x, count, &numbers)
    return numbers.map { widened($0) }
  }

  private func widened(_ bits: UInt16) -> Double { Double(Float(bitPattern: UInt32(bits) << 16)) }

  // MARK: the definition

  /// Integers are near the numbers that they stand for, multiplied exactly, and rounded as documented; bfloat16 is
  /// within the bound of any order.
  @Test(arguments: definitions) func scalarDefinition(_ kernel: Kernel) {
    Bench.run { bench in
      for (rows, columns, inner) in [(1, 1, 1), (3, 17, 31), (5, 33, 100), (2, 16, 700)] {
        let c = makeCase(kernel, rows, columns, inner, bench)
        for row in 0..<rows {
          var q = [Int8](repeating: 0, count: mlm_reduced_padded(MLM_INT8, inner))
          let reading = mlm_narrow(MLM_INT8, MLM_REDUCED_SCALAR, c.x[row], inner, &q), x = rounded(c.x[row], inner)
          for k in 0..<inner where kernel.isInt8 {
            let number = reading.scale * Float(Int32(q[k]) - reading.zero)
            #expect(abs(number - c.x[row][k]) <= 0.501 * reading.scale)
          }
          for column in 0..<columns {
            let bias = c.bias?[0][column] ?? 0, y = c.expected[row][column]
            if kernel.isInt8 {
              let w = c.w.start.assumingMemoryBound(to: Int8.self) + column * inner
              let sum = (0..<inner).reduce(0) { $0 + (Int(q[$1]) - Int(reading.zero)) * Int(w[$1]) }
              #expect(y == bias.addingProduct(Float(sum) * c.w.scales[column], reading.scale))
            } else {
              let exact = zip(x, widened(c.w, column)).reduce(Double(bias)) { $0 + $1.0 * $1.1 }
              #expect(abs(Double(y) - exact) <= bound(x, c, row, column))
            }
          }
        }
      }
    }
  }

  // MARK: shapes

  /// Every number of rows in one tile and in several, columns that do not fill a panel, inner dimensions with padding
  /// and with several parts, with a bias, without one, and added to y.
  @Test(arguments: kernels) func productsOfEveryShape(_ kernel: Kernel) {
    let shapes =
      (1...40).map { ($0, 37, 70) } + [
        (1, 1, 1), (2, 16, 3), (3, 48, 32), (5, 33, 63), (6, 32, 64), (7, 15, 65), (13, 64, 767), (17, 40, 768),
        (33, 35, 769), (34, 20, 1600), (49, 17, 385), (96, 16, 64), (97, 33, 65), (120, 16, 33), (121, 18, 31),
        (1, 33, 3072), (20, 16, 3072),
      ]
    Bench.run { bench in
      for (index, (rows, columns, inner)) in shapes.enumerated() {
        check(
          kernel, makeCase(kernel, rows, columns, inner, hasBias: index % 3 > 0, adds: index % 4 == 1, bench), bench)
      }
    }
  }

  /// Threads compute parts of the columns: these begin and end at any multiple of 16.
  @Test(arguments: kernels) func cutsChangeNothing(_ kernel: Kernel) {
    Bench.run { bench in
      for rows in [1, 3, 14, 40] {
        let c = makeCase(kernel, rows, 100, 100, bench)
        let whole = bench.zeros(rows, 100), parts = bench.zeros(rows, 100)
        multiply(kernel, c.x, c.w, bias: c.bias, into: whole, bench)
        for cuts in [[16], [32], [48], [96], [16, 32, 48, 64, 80, 96], [32, 80]] {
          parts.setToZero()
          multiply(kernel, c.x, c.w, bias: c.bias, into: parts, cuts: cuts, bench)
          #expect(parts.bits == whole.bits, "\(rows) rows, cut at \(cuts)")
        }
      }
    }
  }

  /// A row has the same bits alone, in the company of any others, and as the same row twice.
  @Test(arguments: kernels) func rowsDoNotDependOnTheirCompany(_ kernel: Kernel) {
    Bench.run { bench in
      let rows = 130, columns = 37, inner = 800
      let x = bench.matrix(rows, inner), w = narrowed(bench.matrix(columns, inner), for: kernel, bench)
      x.rows(70..<71).copy(from: x.rows(3..<4))
      let batch = bench.zeros(rows, columns)
      multiply(kernel, x, w, into: batch, bench)
      #expect(batch.rows(70..<71).bits == batch.rows(3..<4).bits)
      for range in [0..<1, 3..<4, 129..<130, 1..<3, 2..<14, 5..<18, 16..<32, 15..<48, 90..<124, 9..<130] {
        let some = bench.zeros(range.count, columns)
        multiply(kernel, x.rows(range), w, into: some, bench)
        #expect(some.bits == batch.rows(range).bits, "rows \(range)")
      }
    }
  }

  // MARK: extremes

  /// The largest sums: all numbers are ±127, and ±127 or −128 in weights that come from a file. The products of pairs
  /// of uint8 and int8 do not fit into 16 bits.
  @Test(arguments: int8Kernels + definitions.filter(\.isInt8)) func largestIntegers(_ kernel: Kernel) {
    Bench.run { bench in
      for inner in [1, 64, 3072] {
        let (rows, columns) = (14, 33)
        let x = bench.zeros(rows, inner), y = bench.zeros(rows, columns)
        for row in 0..<rows {
          for k in 0..<inner { x[row][k] = [127, -127, k % 2 == 0 ? 127 : -127][row % 3] }
        }
        let numbers = UnsafeMutableRawPointer(bench.context.arena.floats(columns * inner))
          .bindMemory(to: Int8.self, capacity: columns * inner)
        for column in 0..<columns {
          for k in 0..<inner { numbers[column * inner + k] = [127, -127, -128, k % 2 == 0 ? -128 : 127][column % 4] }
        }
        let scales = bench.zeros(1, 48)
        for column in 0..<48 { scales.start[column] = 1 }
        let w = Weights(start: UnsafeMutableRawPointer(numbers), columns: columns, inner: inner, scales: scales.start)
        multiply(kernel, x, w, into: y, bench)
        for row in 0..<rows {
          for column in 0..<columns {
            let sum = (0..<inner).reduce(0) { $0 + Int(x[row][$1]) * Int(numbers[column * inner + $1]) }
            #expect(y[row][column] == Float(sum), "inner \(inner), row \(row), column \(column)")
          }
        }
      }
    }
  }

  /// Rows of zeros, tiny and huge rows, NaN and infinity: their results are the definition's, and no other row changes.
  @Test(arguments: kernels) func extremeRows(_ kernel: Kernel) {
    Bench.run { bench in
      for rows in [12, 35] {
        for inner in [65, 800] {
          let c = makeCase(
            kernel, rows, 37, inner, hasBias: false,
            changing: { x in
              for k in 0..<inner {
                x[1][k] = 0
                x[2][k] *= 1e-30
                x[3][k] *= 1e30
                x[4][k] = k % 2 == 0 ? -0.0 : 0
              }
              x[6][inner - 1] = .nan
              x[8][0] = .infinity
              x[9][inner / 2] = -.infinity
            }, bench)
          check(kernel, c, bench)
          for column in 0..<37 {
            #expect(c.y[1][column] == 0 && c.y[4][column] == 0)
            #expect(c.y[6][column].isNaN)
            #expect(!c.y[8][column].isFinite && !c.y[9][column].isFinite)
            #expect(c.y[5][column].isFinite && c.y[7][column].isFinite && c.y[10][column].isFinite)
          }
        }
      }
    }
  }
}
