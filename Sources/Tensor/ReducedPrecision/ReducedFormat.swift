import CKernels

/// The number format of the operands of a matrix product in reduced precision.
package enum ReducedFormat: Sendable, Equatable {
  /// Integers −127 … 127 with one scale per row of either operand. Sums are exact.
  case int8
  /// The upper halves of float32 numbers: 8 significant bits. Sums are float32.
  case bfloat16

  var code: mlm_format { self == .int8 ? MLM_INT8 : MLM_BFLOAT16 }

  /// The size of a number in bytes.
  package var size: Int { self == .int8 ? 1 : 2 }

  /// The kernel of this process: the widest that the processor has and MLM_MAX_CPU_ISA allows.
  var kernel: mlm_reduced_instructions { self == .int8 ? Self.int8Kernel : Self.bfloat16Kernel }

  private static let int8Kernel = mlm_best_reduced(MLM_INT8)
  private static let bfloat16Kernel = mlm_best_reduced(MLM_BFLOAT16)

  /// The name of the kernel's instructions, such as `avx512-vnni`.
  package var instructions: String { String(cString: mlm_reduced_name(code, kernel)) }

  /// Whether the processor has AMX, but the operating system refuses it.
  package static var systemRefusesAMX: Bool { mlm_system_refuses_amx() != 0 }
}
