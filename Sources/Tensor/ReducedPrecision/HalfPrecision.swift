/// IEEE half precision (binary16): 11 significant bits, up to 65,504.
package enum HalfPrecision {
  /// The bits of the nearest number, with ties to even; infinity if the value is too large.
  package static func narrow(_ value: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    let bits = value.bitPattern & 0x7FFF_FFFF
    let magnitude: UInt32
    if bits > 0x7F80_0000 {
      magnitude = 0x7E00  // not a number
    } else if bits >= 0x4780_0000 {
      magnitude = 0x7C00  // 65536 and more
    } else if bits < 0x3880_0000 {
      // Subnormal, a multiple of 2⁻²⁴: adding 0.5 leaves that multiple in the lowest bits, rounded by the addition.
      magnitude = (Float(bitPattern: bits) + 0.5).bitPattern &- Float(0.5).bitPattern
    } else {
      // The exponent's bias is 15 rather than 127; 13 bits are rounded off.
      magnitude = (bits &- (112 << 23) &+ 0xFFF &+ (bits >> 13 & 1)) >> 13
    }
    return sign | UInt16(truncatingIfNeeded: magnitude)
  }

  /// Widens n numbers. A multiplication by 2¹¹² adjusts the exponent bias and normalizes subnormal numbers.
  /// They may be unaligned.
  package static func widen(_ halves: UnsafeRawPointer, to target: UnsafeMutablePointer<Float>, _ n: Int) {
    for i in 0..<n {
      let half = UInt32(halves.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self))
      let scaled = (Float(bitPattern: (half & 0x7FFF) << 13) * 0x1p112).bitPattern
      let special: UInt32 = half & 0x7C00 == 0x7C00 ? 0x7F80_0000 : 0  // infinities and NaNs
      target[i] = Float(bitPattern: scaled | special | (half & 0x8000) << 16)
    }
  }
}
