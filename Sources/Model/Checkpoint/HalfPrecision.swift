/// Tensors as IEEE half precision (binary16), rounded to nearest, ties to even: half the size, 11 significant bits.
final class HalfPrecisionTensors {
  private(set) var sources: [TensorSource] = []
  private var memory: [UnsafeMutablePointer<UInt16>] = []

  /// - Parameter tensors: of 32-bit floats.
  /// - Throws: `CheckpointError` where a number is too large.
  init(_ tensors: [TensorSource]) throws(CheckpointError) {
    for tensor in tensors {
      let count = tensor.bytes.count / 4
      let halves = UnsafeMutablePointer<UInt16>.allocate(capacity: max(1, count))
      memory.append(halves)
      for index in 0..<count {
        let value = tensor.bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
        halves[index] = Self.narrow(value)
        if halves[index] & 0x7FFF == 0x7C00, value.isFinite {
          throw .beyondHalfPrecision(tensor: tensor.name, value: value)
        }
      }
      sources.append(
        TensorSource(
          name: tensor.name, type: .float16, shape: tensor.shape,
          bytes: UnsafeRawBufferPointer(start: halves, count: 2 * count)))
    }
  }

  deinit {
    for pointer in memory { pointer.deallocate() }
  }

  static func narrow(_ value: Float) -> UInt16 {
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
      // The exponent's bias is 15 rather than 127; 13 bits go.
      magnitude = (bits &- (112 << 23) &+ 0xFFF &+ (bits >> 13 & 1)) >> 13
    }
    return sign | UInt16(truncatingIfNeeded: magnitude)
  }
}
