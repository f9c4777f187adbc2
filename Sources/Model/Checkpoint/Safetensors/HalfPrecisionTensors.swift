import Tensor

/// Tensors converted to 16 bits, rounded to nearest, ties to even: half the size. float16 (IEEE binary16) has 11
/// significant bits, bfloat16 has 8 and the range of float32.
final class HalfPrecisionTensors {
  private(set) var sources: [TensorSource] = []
  private var memory: [UnsafeMutablePointer<UInt16>] = []

  /// - Parameters:
  ///   - tensors: tensors of 32-bit floats.
  ///   - type: float16 or bfloat16.
  /// - Throws: `CheckpointError` if a number is too large.
  init(_ tensors: [TensorSource], as type: ElementType = .float16) throws(CheckpointError) {
    for tensor in tensors {
      let count = tensor.bytes.count / 4
      let halves = UnsafeMutablePointer<UInt16>.allocate(capacity: max(1, count))
      memory.append(halves)
      // The exponents' bits: all of them are set in infinity.
      let exponent: UInt16 = type == .float16 ? 0x7C00 : 0x7F80
      for index in 0..<count {
        let value = tensor.bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
        halves[index] = type == .float16 ? HalfPrecision.narrow(value) : ReducedFormat.bfloat16(value)
        if halves[index] & 0x7FFF == exponent, value.isFinite {
          throw .beyondHalfPrecision(tensor: tensor.name, value: value)
        }
      }
      sources.append(
        TensorSource(
          name: tensor.name, type: type, shape: tensor.shape,
          bytes: UnsafeRawBufferPointer(start: halves, count: 2 * count)))
    }
  }

  deinit {
    for pointer in memory { pointer.deallocate() }
  }
}
