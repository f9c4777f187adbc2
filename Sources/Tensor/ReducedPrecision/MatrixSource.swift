/// A matrix as a file stores it, row-major. It does not own its memory.
package enum MatrixSource {
  case float32(UnsafePointer<Float>)
  case float16(UnsafePointer<UInt16>)
  case bfloat16(UnsafePointer<UInt16>)
  /// Integers, and the scale of each row.
  case int8(UnsafePointer<Int8>, scales: [Float])

  /// The size of a number in bytes.
  private var size: Int {
    switch self {
    case .float32: 4
    case .float16, .bfloat16: 2
    case .int8: 1
    }
  }

  /// The memory of `count` numbers.
  func bytes(_ count: Int) -> UnsafeRawBufferPointer {
    let start =
      switch self {
      case .float32(let numbers): UnsafeRawPointer(numbers)
      case .float16(let numbers), .bfloat16(let numbers): UnsafeRawPointer(numbers)
      case .int8(let numbers, _): UnsafeRawPointer(numbers)
      }
    return UnsafeRawBufferPointer(start: start, count: size * count)
  }

  /// Copies a row of n numbers as float32.
  package func copyRow(_ row: Int, _ n: Int, to target: UnsafeMutablePointer<Float>) {
    switch self {
    case .float32(let numbers): target.update(from: numbers + row * n, count: n)
    case .float16(let numbers): HalfPrecision.widen(numbers + row * n, to: target, n)
    case .bfloat16(let numbers): ReducedFormat.widenBFloat16(numbers + row * n, to: target, n)
    case .int8(let numbers, let scales):
      let (numbers, scale) = (numbers + row * n, scales[row])
      for i in 0..<n { target[i] = Float(numbers[i]) * scale }
    }
  }
}
