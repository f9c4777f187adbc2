import CKernels
import Glibc
import TestSupport
import Testing

@testable import Tensor

/// The loops for every instruction set that this processor supports, compared with libm in Double.
@Suite struct ElementwiseTests {
  static let instructionSets = [MLM_BASELINE, MLM_AVX2, MLM_AVX512].filter {
    $0.rawValue <= mlm_instructions().rawValue
  }
  .map(\.rawValue)

  private func rows(_ set: UInt32) -> mlm_rows { mlm_rows_for(mlm_instruction_set(rawValue: set)).pointee }

  /// Pairs of argument and result. The last numbers do not fill a register.
  private func sweep(
    _ numbers: [Float], _ function: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
  ) -> Zip2Sequence<[Float], [Float]> {
    zip(
      numbers,
      [Float](unsafeUninitializedCapacity: numbers.count) { y, count in
        if let start = y.baseAddress { function(numbers, start, numbers.count) }
        count = numbers.count
      })
  }

  /// Every `step`-th float from zero to infinity, with both signs.
  private func bitPatterns(stride step: Int) -> [Float] {
    stride(from: 0, to: 0x7F80_0000, by: step).flatMap {
      [Float(bitPattern: UInt32($0)), -Float(bitPattern: UInt32($0))]
    }
  }

  @Test(arguments: instructionSets)
  func exponentialIsWithinItsBound(_ set: UInt32) {
    let even = (0..<(1 << 20)).map { Float(-87.33 + 175.69 * Double($0) / Double(1 << 20)) }
    let numbers = even + bitPatterns(stride: 4099).filter { $0 >= -87.33 && $0 <= 88.37 } + [0]
    var worst = 0.0
    for (x, y) in sweep(numbers, rows(set).exponential) {
      let expected = Glibc.exp(Double(x))
      let error = abs(Double(y) - expected) / expected
      worst = error.isNaN ? .infinity : max(worst, error)
      if x == 0 { #expect(y == 1) }
    }
    #expect(worst < 2e-7)
  }

  @Test(arguments: instructionSets)
  func exponentialOfExtremes(_ set: UInt32) {
    for (x, y) in sweep([-87.4, -100, -1e30, -.greatestFiniteMagnitude, -.infinity], rows(set).exponential) {
      #expect(y > 0 && y < 1.3e-38, "\(x)")
    }
    for (x, y) in sweep([88.4, 100, 1e30, .greatestFiniteMagnitude, .infinity], rows(set).exponential) {
      #expect(y > 2e38 && y.isFinite, "\(x)")
    }
    let tiny: [Float] = [.leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude, -0.0]
    for (x, y) in sweep(tiny, rows(set).exponential) { #expect(y == 1, "\(x)") }
  }

  /// NaN must stay NaN, so that the loss shows it.
  @Test(arguments: instructionSets)
  func notANumberStaysOne(_ set: UInt32) {
    let bits: [UInt32] = [0x7FC0_0000, 0xFFC0_0000, 0x7FC0_0001, 0x7FC0_00FF, 0x7FFF_FFFF]
    let numbers = (bits + bits + bits + bits).map { Float(bitPattern: $0) }
    let rows = rows(set)
    for function in [rows.exponential, rows.gelu] {
      #expect(sweep(numbers, function).allSatisfy { $1.isNaN })
    }
    #expect(
      sweep(numbers) { x, y, n in rows.gelu_backward(x, [Float](repeating: 1, count: n), y, n) }.allSatisfy { $1.isNaN }
    )
  }

  @Test(arguments: instructionSets)
  func geluAndItsGradient(_ set: UInt32) {
    let numbers = (0..<80_001).map { Float(-10 + 20 * Double($0) / 80_000) }
    let rows = rows(set)
    func cumulative(_ x: Double) -> Double { 0.5 * Glibc.erfc(-x / 2.0.squareRoot()) }
    for (x, y) in sweep(numbers, rows.gelu) {
      guard abs(Double(y) - Double(x) * cumulative(Double(x))) <= 1.2e-7 * abs(Double(x)) else {
        return #expect(Bool(false), "gelu(\(x)) = \(y)")
      }
    }
    let ones = [Float](repeating: 1, count: numbers.count)
    for (x, y) in sweep(numbers, { rows.gelu_backward($0, ones, $1, $2) }) {
      let density = Glibc.exp(-0.5 * Double(x) * Double(x)) / (2 * Double.pi).squareRoot()
      guard abs(Double(y) - (cumulative(Double(x)) + Double(x) * density)) < 2e-7 else {
        return #expect(Bool(false), "gelu'(\(x)) = \(y)")
      }
    }
  }

  /// Arguments for which Φ rounds to 0 or 1.
  @Test(arguments: instructionSets)
  func geluEndsInNothingAndInItsArgument(_ set: UInt32) {
    let numbers: [Float] = [7, 12.999, 13, 13.001, 100, 1e10, .greatestFiniteMagnitude]
    let (rows, ones) = (rows(set), [Float](repeating: 1, count: numbers.count))
    for (x, y) in sweep(numbers, rows.gelu) { #expect(y == x) }
    for (x, y) in sweep(numbers.map { -$0 }, rows.gelu) { #expect(abs(y) < (x > -13 ? 1e-10 : 1e-30), "\(x)") }
    for (x, y) in sweep(numbers, { rows.gelu_backward($0, ones, $1, $2) }) { #expect(abs(y - 1) < 1e-10, "\(x)") }
    for (x, y) in sweep(numbers.map { -$0 }, { rows.gelu_backward($0, ones, $1, $2) }) {
      #expect(abs(y) < 1e-10, "\(x)")
    }
    // Subnormal numbers are halved too.
    let (subnormal, half) = (Float(bitPattern: 71_362), Float(bitPattern: 35_681))
    #expect(sweep([0, -0.0, subnormal], rows.gelu).map(\.1) == [0, -0.0, half])
  }

  /// Dropout uses the numbers of `Philox.block`, for every instruction set.
  @Test(arguments: instructionSets, [1, 8, 127, 128, 129, 500])
  func dropoutDrawsPhilox(_ set: UInt32, _ count: Int) {
    let counter: SIMD4<UInt32> = [.max - 2, 5, 6, 300]
    let bits = (0..<UInt32((count + 7) / 8)).flatMap { block -> [UInt16] in
      var counter = counter
      counter[0] = counter[0] &+ block
      let words = unsafeBitCast(Philox.block(key: 0x1234_5678_9ABC_DEF0, counter: counter), to: SIMD8<UInt16>.self)
      return (0..<8).map { words[$0] }
    }
    let words = (0..<4).map { counter[$0] }
    for (index, (_, y)) in sweep(
      [Float](repeating: 3, count: count),
      {
        rows(set).dropout($0, $1, $2, 0x1234_5678_9ABC_DEF0, words, 20_000, 2)
      }
    ).enumerated() {
      #expect(y == (bits[index] < 20_000 ? 0 : 6))
    }
  }

  /// The largest difference of each instruction set from the baseline, for rows of every length.
  @Test(arguments: instructionSets)
  func everyInstructionSetComputesTheSame(_ set: UInt32) {
    let (rows, baseline) = (rows(set), rows(MLM_BASELINE.rawValue))
    Bench.run { bench in
      for n in [1, 3, 4, 7, 8, 15, 16, 17, 33, 64, 100, 768, 1025] {
        func compare(_ name: String, _ body: (mlm_rows, _ x: Matrix, _ y: Matrix, _ z: Matrix) -> Double) {
          let (x, y, z) = (bench.matrix(1, n, scale: 3), bench.matrix(1, n), bench.matrix(1, n))
          let copies = (bench.copy(x), bench.copy(y), bench.copy(z))
          let (a, b) = (body(rows, x, y, z), body(baseline, copies.0, copies.1, copies.2))
          #expect(abs(a - b) <= 1e-5 * max(1, abs(b)), "\(name), \(n)")
          for (mine, theirs) in [(x, copies.0), (y, copies.1), (z, copies.2)] {
            #expect(zip(mine.array, theirs.array).allSatisfy { abs($0 - $1) < 1e-5 * max(1, abs($1)) }, "\(name), \(n)")
          }
        }
        compare("add") { rows, x, y, _ in
          rows.add(x[0], y[0], n); return 0
        }
        compare("squares") { rows, x, _, _ in rows.sum_of_squares(x[0], n) }
        compare("maximum") { rows, x, _, _ in Double(rows.maximum(x[0], n)) }
        compare("exponentials") { rows, x, _, _ in rows.sum_of_exponentials(x[0], 1, n) }
        compare("softmax") { rows, x, _, _ in rows.softmax(x[0], n, 2) }
        compare("softmax backward") { rows, x, y, _ in
          rows.softmax_backward(x[0], y[0], n); return 0
        }
        compare("norm") { rows, x, y, z in
          var (mean, scale): (Float, Float) = (0, 0)
          rows.norm(x[0], y[0], z[0], z[0], 1e-3, y[0], n, &mean, &scale)
          return Double(mean)
        }
        compare("norm backward") { rows, x, y, z in
          rows.norm_backward(x[0], y[0], 0.1, 2, z[0], z[0], n); return 0
        }
        compare("norm gradients") { rows, x, y, z in
          rows.norm_gradients(x[0], 0.1, 2, x[0], y[0], z[0], n)
          return 0
        }
        compare("adam") { rows, x, y, z in
          var numbers = mlm_adam(keep1: 0.1, keep2: 0.001, epsilon: 1e-7, rate: 0.01, scale: 0.5, decay: 0.99)
          let second = bench.zeros(1, n)
          return Double(Float(bitPattern: rows.adam(x[0], y[0], z[0], second[0], n, &numbers)))
        }
      }
    }
  }
}
