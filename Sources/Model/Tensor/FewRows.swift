import CBLAS
import CKernels

/// y = x·Wᵀ + b for few rows of x, by a kernel of ours that reads W where it lies.
///
/// OpenBLAS packs W first, which for few rows takes longer than the product. Ours turns 16 rows of W at a time in the first-level
/// cache, with the next 16 on their way. Measured on Zen 4, GFLOP/s of one thread, ours / OpenBLAS 0.3.21, 768 → 3072:
///
///     rows        1        6        24       48       96       144
///     AVX-512     7 / 4    51 / 21  88 / 57  99 / 74  104 / 88 100 / 91
///     AVX2        7 / 3    46 / 16  75 / 52  84 / 71  90 / 87  93 / 94
///
/// Tried and left: dot products along W's rows without turning them (36 where this does 75; and another order of additions).
///
/// The sums are added up in the order in which OpenBLAS' kernels do it, so a row comes out the same to the last bit from either. That
/// order is known for its AVX-512 kernels and for its AVX2 kernel where the rows are multiples of 12 and the columns of 8.
enum FewRows {
  /// What OpenBLAS computes with, as far as it matters here.
  enum Kernel {
    /// SkylakeX and its successors, Zen 4 among them: every element is added up alike, wherever it stands.
    case avx512
    /// Haswell and its successors, Zen 1 … 3 among them: the order depends on the place in a tile of 12 rows.
    case avx2
    case other
  }

  static let openBLASKernel: Kernel = {
    guard let name = openblas_get_corename() else { return .other }
    switch String(cString: name) {
    case "SkylakeX", "Cooperlake", "SapphireRapids": return .avx512
    case "Haswell", "Zen": return .avx2
    default: return .other
    }
  }()

  private static let instructions = mlm_instructions()
  /// Where the processor has AVX2 and FMA.
  static let isAvailable = instructions != MLM_BASELINE

  /// Up to so many rows ours is the faster.
  private static let rowLimit = openBLASKernel == .avx512 ? 144 : 60

  /// OpenBLAS' AVX-512 kernels compute products of at most this size by other means, in another order.
  private static let smallProduct = 1_000_000

  /// Whether this is the product for a shape, and in last bits what OpenBLAS would give if OpenBLAS gives always the same.
  static func takes(rows: Int, columns: Int, inner: Int, threads: Int) -> Bool {
    guard isAvailable, inner > 0 else { return false }
    switch openBLASKernel {
    case .avx512: return rows <= rowLimit || rows * columns * inner <= smallProduct * threads
    // The order at the end of the last panel is not known if it is not a multiple of 8.
    case .avx2: return rows <= rowLimit && columns % 8 == 0
    case .other: return rows <= rowLimit
    }
  }

  /// y = x·Wᵀ + b, the columns shared among the workers.
  static func multiply(_ x: Matrix, _ w: Matrix, bias: UnsafePointer<Float>?, into y: Matrix, _ context: Context) {
    context.temporary {
      let size = mlm_few_rows_scratch(x.rows, x.columns)
      // A cache line apart, so that no two workers write to one.
      let scratchStride = (size + 15) & ~15
      let scratch = context.arena.floats(scratchStride * context.pool.threads)
      let order = openBLASKernel == .avx2 ? MLM_ORDER_HASWELL : MLM_ORDER_SEQUENTIAL
      context.pool.split(y.columns, alignment: 16) { worker, columns in
        mlm_few_rows_product(
          instructions, x.start, x.stride, x.rows, w.start, w.stride, w.rows, w.columns, bias, y.start, y.stride, columns.lowerBound,
          columns.upperBound, order, scratch + worker * scratchStride)
      }
    }
  }
}
