import CKernels

/// The number format of the operands of a matrix product in reduced precision.
package enum ReducedFormat: Sendable, Equatable {
  /// Integers −127 … 127 with one scale per row of either operand. Sums are exact.
  case int8
  /// The upper halves of float32 numbers: 8 significant bits. Sums are float32.
  case bfloat16
  /// bfloat16 with sums in the order of the inner dimension, which all instruction sets but AMX have: for products
  /// whose bits must not depend on the processor.
  case bfloat16InOrder

  var code: mlm_format { self == .int8 ? MLM_INT8 : MLM_BFLOAT16 }

  /// The size of a number in bytes.
  package var size: Int { self == .int8 ? 1 : 2 }

  /// The kernel of this process: the widest that the processor has and MLM_MAX_CPU_ISA allows.
  var kernel: mlm_reduced_instructions {
    switch self {
    case .int8: Self.int8Kernel
    case .bfloat16: Self.bfloat16Kernel
    case .bfloat16InOrder: Self.orderedKernel
    }
  }

  private static let int8Kernel = mlm_best_reduced(MLM_INT8, MLM_REDUCED_AMX)
  private static let bfloat16Kernel = mlm_best_reduced(MLM_BFLOAT16, MLM_REDUCED_AMX)
  private static let orderedKernel = mlm_best_reduced(MLM_BFLOAT16, MLM_REDUCED_AVX512_VNNI)

  /// The name of the kernel's instructions, such as `avx512-vnni`.
  package var instructions: String { String(cString: mlm_reduced_name(code, kernel)) }

  /// Whether the processor has AMX, but the operating system refuses it.
  package static var systemRefusesAMX: Bool { mlm_system_refuses_amx() != 0 }

  /// Rounds n numbers to multiples of a scale, the largest magnitude / 127 (ties to even). Returns the scale: 0 for
  /// zeros, NaN if a number is not finite.
  package static func quantize(_ x: UnsafePointer<Float>, _ n: Int, to q: UnsafeMutablePointer<Int8>) -> Float {
    mlm_quantize_int8(x, n, q)
  }

  /// Rounds n numbers to bfloat16, to nearest, ties to even.
  package static func roundToBFloat16(_ x: UnsafePointer<Float>, _ n: Int, to y: UnsafeMutablePointer<UInt16>) {
    mlm_round_bfloat16(x, n, y)
  }

  /// Widens n numbers of bfloat16. They may be unaligned.
  package static func widenBFloat16(_ numbers: UnsafeRawPointer, to target: UnsafeMutablePointer<Float>, _ n: Int) {
    for i in 0..<n {
      target[i] = Float(bitPattern: UInt32(numbers.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self)) << 16)
    }
  }

  /// The bits of the nearest bfloat16, with ties to even; infinity if the number is too large.
  package static func bfloat16(_ x: Float) -> UInt16 {
    let bits = x.bitPattern
    if bits & 0x7FFF_FFFF > 0x7F80_0000 { return UInt16(bits >> 16) | 0x40 }  // not a number
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
  }
}
