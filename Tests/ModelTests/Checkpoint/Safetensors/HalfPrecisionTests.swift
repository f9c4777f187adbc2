import Testing

@testable import Model
@testable import Tensor

@Suite struct HalfPrecisionTests {
  static func widen(_ half: UInt16) -> Float {
    var value: Float = 0
    withUnsafeBytes(of: half) { bytes in
      guard let start = bytes.baseAddress else { return }
      HalfPrecision.widen(start, to: &value, 1)
    }
    return value
  }

  /// Every half converts to a float that converts back to the same half.
  @Test func everyHalf() {
    for half in UInt16.min...UInt16.max {
      let value = Self.widen(half)
      if value.isNaN {
        #expect(HalfPrecision.narrow(value) & 0x7FFF > 0x7C00)
      } else if HalfPrecision.narrow(value) != half {
        Issue.record("\(half): \(value) became \(HalfPrecision.narrow(value))")
        return
      }
    }
  }

  /// A number between two halves is rounded to the nearer; ties go to even.
  @Test func rounding() {
    for half in UInt16.min..<0x7BFF {
      let (low, high) = (Self.widen(half), Self.widen(half + 1))
      let middle = (low + high) / 2
      let found = [middle.nextDown, middle, middle.nextUp].map { HalfPrecision.narrow($0) }
      let even = half % 2 == 0 ? half : half + 1
      if found != [half, even, half + 1] || HalfPrecision.narrow(-middle) != even | 0x8000 {
        Issue.record("\(half): \(found)")
        return
      }
    }
    #expect(HalfPrecision.narrow(65519.996) == 0x7BFF && HalfPrecision.narrow(65520) == 0x7C00)
    #expect(HalfPrecision.narrow(.infinity) == 0x7C00 && HalfPrecision.narrow(-.infinity) == 0xFC00)
  }

  @Test func tensors() throws {
    let values: [Float] = [1, -2.5, 0, 1e-8]
    try values.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return }
      let halves = try HalfPrecisionTensors([TensorSource(name: "a", shape: [2, 2], values: start)])
      #expect(halves.sources[0].type == .float16 && halves.sources[0].shape == [2, 2])
      #expect(Array(halves.sources[0].bytes) == [0x00, 0x3C, 0x00, 0xC1, 0, 0, 0, 0])
    }
    var large: Float = 70000
    withUnsafePointer(to: &large) { start in
      _ = #expect(throws: CheckpointError.beyondHalfPrecision(tensor: "a", value: 70000)) {
        try HalfPrecisionTensors([TensorSource(name: "a", shape: [], values: start)])
      }
    }
  }
}
