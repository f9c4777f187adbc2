import Glibc
import Testing

@testable import Model

/// The judge is libm in Double.
@Suite struct ExponentialTests {
  /// Runs a function of eight over all numbers and gives the pairs of argument and result.
  private func sweep(_ numbers: [Float], _ function: (Floats) -> Floats, _ body: (Float, Float) -> Void) {
    for start in stride(from: 0, to: numbers.count - 7, by: 8) {
      var x = Floats()
      for lane in 0..<8 { x[lane] = numbers[start + lane] }
      let y = function(x)
      for lane in 0..<8 { body(x[lane], y[lane]) }
    }
  }

  /// Every so many-th float from zero to infinity, both signs.
  private func bitPatterns(stride step: Int) -> [Float] {
    stride(from: 0, to: 0x7F80_0000, by: step).flatMap {
      [Float(bitPattern: UInt32($0)), -Float(bitPattern: UInt32($0))]
    }
  }

  @Test func exponentialIsWithinItsBound() {
    let even = (0..<(1 << 20)).map { Float(-87.33 + 175.69 * Double($0) / Double(1 << 20)) }
    let numbers = even + bitPatterns(stride: 4099).filter { $0 >= -87.33 && $0 <= 88.37 }
    var worst = 0.0
    sweep(numbers, { Elementary.exp($0) }) { x, y in
      let expected = Glibc.exp(Double(x))
      let error = abs(Double(y) - expected) / expected
      worst = error.isNaN ? .infinity : max(worst, error)
    }
    #expect(worst < 2e-7)
    #expect(Elementary.exp(0) == 1)
  }

  @Test func exponentialOfExtremes() {
    for x: Float in [-87.4, -100, -1e30, -.greatestFiniteMagnitude, -.infinity] {
      #expect(Elementary.exp(x) > 0 && Elementary.exp(x) < 1.3e-38, "\(x)")
    }
    for x: Float in [88.4, 100, 1e30, .greatestFiniteMagnitude, .infinity] {
      #expect(Elementary.exp(x) > 2e38 && Elementary.exp(x).isFinite, "\(x)")
    }
    for x: Float in [.leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude, -0.0] {
      #expect(Elementary.exp(x) == 1, "\(x)")
    }
  }

  @Test func errorFunctionIsWithinItsBound() {
    let even = (0..<(1 << 20)).map { Float(-5 + 10 * Double($0) / Double(1 << 20)) }
    var worst = 0.0
    sweep(even + bitPatterns(stride: 2053), { Elementary.erf($0) }) { x, y in
      let expected = Glibc.erf(Double(x))
      // Below the normal numbers there is no relative precision to be had: half a unit of the last place.
      let floor = 0.51 * Double(Float.leastNonzeroMagnitude)
      let error = expected == 0 ? Double(abs(y)) : max(0, abs(Double(y) - expected) - floor) / abs(expected)
      worst = error.isNaN ? .infinity : max(worst, error)
    }
    #expect(worst < 2e-7)
  }

  @Test func errorFunctionIsOddAndEndsAtOne() {
    for x: Float in [0, 0x1p-135, 1e-5, 0.3, 0.949_999_9, 0.95, 1, 2.5, 3.999, 4, 10, 1e30, .infinity] {
      let (plus, minus) = (Elementary.erf(Floats(repeating: x))[0], Elementary.erf(Floats(repeating: -x))[0])
      #expect(plus.bitPattern ^ minus.bitPattern == 0x8000_0000, "\(x)")
      #expect(plus <= 1)
      if x >= 4 { #expect(plus == 1) }
    }
  }

  /// A number that is none must not turn into one: the loss has to show it.
  @Test(arguments: [0x7FC0_0000, 0xFFC0_0000, 0x7FC0_0001, 0x7FC0_00FF, 0x7FFF_FFFF] as [UInt32])
  func notANumberStaysOne(_ bits: UInt32) {
    let x = Floats(repeating: Float(bitPattern: bits))
    #expect(Elementary.exp(x)[0].isNaN)
    #expect(Elementary.erf(x)[0].isNaN)
    let (cumulative, density) = Elementary.normal(x)
    #expect(cumulative[0].isNaN && density[0].isNaN)
  }

  @Test func normalDistribution() {
    var worst = (0.0, 0.0)
    let numbers = (0..<80_000).map { Float(-10 + 20 * Double($0) / 80_000) }
    sweep(numbers, { Elementary.normal($0).cumulative }) { x, y in
      worst.0 = max(worst.0, abs(Double(y) - 0.5 * Glibc.erfc(-Double(x) / 2.0.squareRoot())))
    }
    sweep(numbers, { Elementary.normal($0).density }) { x, y in
      let expected = Glibc.exp(-0.5 * Double(x) * Double(x)) / (2 * Double.pi).squareRoot()
      worst.1 = max(worst.1, abs(Double(y) - expected))
    }
    #expect(worst.0 < 2e-7 && worst.1 < 2e-7)
  }
}
