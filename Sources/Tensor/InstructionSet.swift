import CKernels
import Glibc

/// The instruction sets that the program's own loops are compiled for, as a user names them.
package enum InstructionSet {
  /// An invalid value of MLM_MAX_CPU_ISA and what is wrong with it, for a program to refuse before it computes; nil where it is valid
  /// or not set.
  package static var invalidLimit: String? {
    guard let value = getenv("MLM_MAX_CPU_ISA"), mlm_knows_limit(value) == 0 else { return nil }
    return "MLM_MAX_CPU_ISA: '\(String(cString: value))' is not baseline, avx2 or avx512"
  }
}
