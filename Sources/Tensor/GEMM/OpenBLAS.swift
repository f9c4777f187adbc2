import CBLAS
import CKernels
import Glibc

/// The configuration of OpenBLAS: one thread, and kernels that suit the processor.
package enum OpenBLAS {
  /// The kernels of OpenBLAS, by the order in which they add up products.
  package enum Kernel {
    /// SkylakeX and its successors, including Zen 4: every element is added up in the same order.
    case avx512
    /// Haswell and its successors, including Zen 1 … 3: the order depends on the position in a tile of 12 rows.
    case avx2
    /// The order is unknown.
    case other
  }

  package static let kernel: Kernel = {
    guard blockSize > 0 else { return .other }
    switch core {
    case "SkylakeX", "Cooperlake", "SapphireRapids": return .avx512
    case "Haswell", "Zen": return .avx2
    default: return .other
    }
  }()

  /// The number of products that a kernel adds up before it adds their sum to the result; it differs from kernel to
  /// kernel. 0 if it is more than the small-batch GEMM supports.
  ///
  /// Determined by an experiment of some microseconds: 2²⁵ absorbs the ones that are added to it one by one, those of
  /// its own block, but not the sums of other blocks. Observed at a row and a column where the AVX2 kernel also adds up
  /// in order.
  static let blockSize: Int = {
    _ = prepared
    let (rows, columns, inner) = (36, 32, 2 * Int(MLM_LARGEST_BLOCK))
    var x = [Float](repeating: 1, count: rows * inner)
    let w = [Float](repeating: 1, count: columns * inner)
    var y = [Float](repeating: 0, count: rows * columns)
    x[(rows - 1) * inner] = 0x1p25
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, blasint(rows), blasint(columns), blasint(inner), 1, x, blasint(inner), w,
      blasint(inner), 0, &y, blasint(columns))
    let block = inner - Int(y[(rows - 1) * columns + columns / 2] - 0x1p25)
    return block > 0 && block <= inner / 2 && block % 16 == 0 ? block : 0
  }()

  /// Configures OpenBLAS. Must be evaluated before its first use.
  ///
  /// Tried without success: huge pages for the memory into which it packs matrices (12 MB per thread, of 128 that it
  /// maps). A training step takes as long.
  package static let prepared: Void = {
    let chosen = getenv("OPENBLAS_CORETYPE") != nil
    if let better = betterCore(than: currentCore, instructions: mlm_instructions(), chosen: chosen) {
      change(to: better)
    }
    openblas_set_num_threads(1)
  }()

  /// OpenBLAS' name of the processor whose kernels it uses.
  package static let core: String = {
    _ = prepared
    return currentCore
  }()
  private static var currentCore: String { openblas_get_corename().map { String(cString: $0) } ?? "?" }

  /// The kernels to use instead if OpenBLAS misidentifies the processor; nil if its choice is good.
  ///
  /// Version 0.3.21 (Debian 12) identifies Intel's newer processors (Raptor Lake, Emerald Rapids, Arrow Lake …: family
  /// 6, models from 176 on) as a Prescott of 2004, with SSE3. (A step of `fit` on 16 threads of an Emerald Rapids took
  /// 3.7 times as long.)
  ///
  /// - Parameter chosen: whether OPENBLAS_CORETYPE selects the kernels.
  static func betterCore(than core: String, instructions: mlm_instruction_set, chosen: Bool) -> String? {
    let withoutAVX = ["Katmai", "Prescott", "Core2", "Penryn", "Dunnington", "Nehalem", "Atom"]
    guard !chosen, withoutAVX.contains(core) else { return nil }
    switch instructions {
    case MLM_AVX512: return "SkylakeX"
    case MLM_AVX2: return "Haswell"
    default: return nil
    }
  }

  /// Makes OpenBLAS choose its kernels again; it rejects kernels that the processor does not support. (OpenBLAS reads
  /// the variable once, when it is loaded, before the program's first line. Restarting the program would cost
  /// milliseconds.)
  private static func change(to core: String) {
    guard mlm_openblas_can_choose_again() != 0 else { return }
    setenv("OPENBLAS_CORETYPE", core, 1)
    mlm_openblas_choose_again()
    unsetenv("OPENBLAS_CORETYPE")
  }
}
