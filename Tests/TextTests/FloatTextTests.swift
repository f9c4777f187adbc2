import Glibc
import Testing

@testable import Tensor
@testable import Text

@Suite struct FloatTextTests {
  // The values of Python 3's repr.
  @Test(
    arguments: [
      (0.0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (0.1, "0.1"), (-2.5, "-2.5"), (100, "100.0"),
      (1e15, "1000000000000000.0"),
      (1e16, "1e+16"), (1.5e16, "1.5e+16"), (123456789012345680, "1.2345678901234568e+17"), (1e100, "1e+100"),
      (0.0001, "0.0001"), (0.00012, "0.00012"), (0.00001, "1e-05"), (1e-12, "1e-12"), (5e-5, "5e-05"),
      (2.2250738585072014e-308, "2.2250738585072014e-308"), (1.0 / 3, "0.3333333333333333"),
    ] as [(Double, String)])
  func shortest(_ value: Double, _ text: String) { #expect(FloatText.shortest(value) == text) }

  @Test func significant() {
    #expect(FloatText.significant(Double(Float(0.05292855575680733)), digits: 9) == "0.0529285558")
    #expect(FloatText.significant(1, digits: 9) == "1.0")
    #expect(FloatText.significant(0.99999999999, digits: 9) == "1.0")
    #expect(FloatText.significant(1.23456789e-7, digits: 3) == "1.23e-07")
    #expect(FloatText.significant(0, digits: 9) == "0.0")
    #expect(FloatText.significant(-1234.5678, digits: 6) == "-1234.57")
    #expect(FloatText.significant(.infinity, digits: 3) == "inf")
  }

  @Test func nineDigitsReadBackAsTheSameFloat() {
    var random = RandomStream(seed: 1, purpose: .shuffle)
    for _ in 0..<5000 {
      let value = Float(bitPattern: random.next32())
      guard value.isFinite else { continue }
      #expect(Float(FloatText.significant(Double(value), digits: 9)) == value)
      #expect(Float(FloatText.shortest(value)) == value)
    }
  }

  @Test func theRadixCharacterIsNoMatter() {
    #expect(FloatText.layout(FloatText.decimal(Array("1,25e+00".utf8))) == "1.25")
    #expect(FloatText.layout(FloatText.decimal(Array("1\u{66B}25e-03".utf8))) == "0.00125")
  }
}
