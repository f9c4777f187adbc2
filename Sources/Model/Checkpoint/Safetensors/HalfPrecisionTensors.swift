import Tensor

/// Tensors converted to IEEE half precision (binary16), rounded to nearest, ties to even: half the size, 11 significant
/// bits.
final class HalfPrecisionTensors {
  private(set) var sources: [TensorSource] = []
  private var memory: [UnsafeMutablePointer<UInt16>] = []

  /// - Parameter tensors: tensors of 32-bit floats.
  /// - Throws: `CheckpointError` if a number is too large.
  init(_ tensors: [TensorSource]) throws(CheckpointError) {
    for tensor in tensors {
      let count = tensor.bytes.count / 4
      let halves = UnsafeMutablePointer<UInt16>.allocate(capacity: max(1, count))
      memory.append(halves)
      for index in 0..<count {
        let value = tensor.bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
        halves[index] = HalfPrecision.narrow(value)
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
}
