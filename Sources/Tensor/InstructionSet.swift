import CKernels
import Glibc

/// The instruction sets for which the program's own loops are compiled.
package enum InstructionSet {
  /// The name of the widest instruction set that the processor has and MLM_MAX_CPU_ISA allows: `baseline`, `avx2` or
  /// `avx512`.
  package static let name =
    switch mlm_instructions() {
    case MLM_AVX512: "avx512"
    case MLM_AVX2: "avx2"
    default: "baseline"
    }

  /// The error message for an invalid value of MLM_MAX_CPU_ISA, which a program reports before it computes; nil if the
  /// value is valid or not set.
  package static var invalidLimit: String? {
    guard let value = getenv("MLM_MAX_CPU_ISA"), mlm_knows_limit(value) == 0 else { return nil }
    return "MLM_MAX_CPU_ISA: '\(String(cString: value))' is not baseline, avx2, avx512, vnni or amx"
  }
}
