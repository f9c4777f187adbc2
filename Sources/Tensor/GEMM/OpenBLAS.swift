import CBLAS
import CKernels
import Glibc

/// The library for matrix products, as this program uses it: on the calling thread alone, by kernels that suit the processor.
package enum OpenBLAS {
  /// What OpenBLAS computes with, as far as it matters here.
  package enum Kernel {
    /// SkylakeX and its successors, Zen 4 among them: every element is added up alike, wherever it stands.
    case avx512
    /// Haswell and its successors, Zen 1 … 3 among them: the order depends on the place in a tile of 12 rows.
    case avx2
    case other
  }

  package static let kernel: Kernel = {
    switch core {
    case "SkylakeX", "Cooperlake", "SapphireRapids": return .avx512
    case "Haswell", "Zen": return .avx2
    default: return .other
    }
  }()

  /// To be evaluated before OpenBLAS is first used.
  ///
  /// Tried: huge pages for the memory it packs matrices into (12 MB a thread, of 128 that it maps). A training step takes as long.
  package static let prepared: Void = {
    let chosen = getenv("OPENBLAS_CORETYPE") != nil
    if let better = betterCore(than: currentCore, instructions: mlm_instructions(), chosen: chosen) {
      change(to: better)
    }
    openblas_set_num_threads(1)
  }()

  /// Its name for the processor whose kernels it takes.
  package static let core: String = {
    _ = prepared
    return currentCore
  }()
  private static var currentCore: String { openblas_get_corename().map { String(cString: $0) } ?? "?" }

  /// The kernels to take instead where OpenBLAS has mistaken the processor.
  ///
  /// 0.3.21 (Debian 12) takes Intel's newer ones (Raptor Lake, Emerald Rapids, Arrow Lake …: family 6, models from 176 on) for a
  /// Prescott of 2004: SSE3. (A step of `fit` on 16 threads of an Emerald Rapids took 3.7 times as long.)
  ///
  /// - Parameter chosen: whether OPENBLAS_CORETYPE says what to take.
  static func betterCore(than core: String, instructions: mlm_instruction_set, chosen: Bool) -> String? {
    let withoutAVX = ["Katmai", "Prescott", "Core2", "Penryn", "Dunnington", "Nehalem", "Atom"]
    guard !chosen, withoutAVX.contains(core) else { return nil }
    switch instructions {
    case MLM_AVX512: return "SkylakeX"
    case MLM_AVX2: return "Haswell"
    default: return nil
    }
  }

  /// Has OpenBLAS choose again; what it cannot compute with here, it does not take. (The variable is read once, when the library is
  /// loaded. That is before our first line, and to begin the program once more would cost its milliseconds.)
  private static func change(to core: String) {
    guard mlm_openblas_can_choose_again() != 0 else { return }
    setenv("OPENBLAS_CORETYPE", core, 1)
    mlm_openblas_choose_again()
    unsetenv("OPENBLAS_CORETYPE")
  }
}
