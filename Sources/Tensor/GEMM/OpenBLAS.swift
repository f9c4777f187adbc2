import CBLAS
import CKernels
import Glibc

/// The library for matrix products, as this program uses it: on the calling thread alone, by kernels that suit the processor.
package enum OpenBLAS {
  /// The kernels of OpenBLAS, by the order in which they add up products.
  package enum Kernel {
    /// SkylakeX and its successors, Zen 4 among them: every element is added up in the same order.
    case avx512
    /// Haswell and its successors, Zen 1 … 3 among them: the order depends on the position in a tile of 12 rows.
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
  /// Found by an experiment of some microseconds: 2²⁵ swallows the ones that are added to it singly, those of its own
  /// block, but not the sums of other blocks. Observed at a row and a column where the AVX2 kernel, too, adds up in
  /// order.
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
