import CBLAS
import CKernels

/// y = x·Wᵀ + b for few rows of x, by kernels of CKernels that read W in place, or packed once for many products
/// (`PackedWeights`).
///
/// OpenBLAS packs W first, which takes longer than the product if x has few rows. These kernels pass a group of W's
/// rows at a time through the first- or second-level cache, and prefetch the next ones.
///
/// GFLOP/s of one thread, SmallBatchGEMM / OpenBLAS 0.3.21, 768 → 3072, weights in the cache:
///
///     rows             1        6         24         48         96         144
///     AVX-512, Zen 5   27 / 9   133 / 41  218 / 147  236 / 189  236 / 217  244 / 230
///     AVX2, Zen 4      10 / 7   58 / 33   106 / 82   104 / 87   102 / 93   100 / 96
///
/// Tried without success:
/// - Dot products along W's rows, not transposed (36 where transposed panels reached 75; and another order of
///   additions).
/// - Query, key and value as one product, for 21 rows: within 1 %.
/// - More than 144 rows (300, 520, all): predict, evaluate and fit stay the same within 3 %.
///
/// The sums are added up in the order of OpenBLAS' kernels, so a row is the same to the last bit from either. That
/// order is known for its AVX-512 kernels, and for its AVX2 kernel in full tiles of 12 rows.
package enum SmallBatchGEMM {
  private static let order: mlm_summation_order = {
    let block = OpenBLAS.blockSize > 0 ? OpenBLAS.blockSize : 320
    let isHaswell = OpenBLAS.kernel == .avx2
    return mlm_summation_order(block: block, multiple: isHaswell ? 8 : 16, splits_edges: isHaswell ? 1 : 0)
  }()

  private static let instructions = mlm_instructions()
  /// Whether the processor has AVX2 and FMA.
  package static let isAvailable = instructions != MLM_BASELINE

  /// The most rows for which this is faster than OpenBLAS: no limit if OpenBLAS uses AVX2 and this AVX-512.
  package static let rowLimit = instructions == MLM_AVX512 && OpenBLAS.kernel == .avx2 ? Int.max : 144

  /// The rows that pass through the weights together, full tiles: more would need packed copies of tens of megabytes.
  private static let rowsAtOnce = 504

  /// Up to this size, OpenBLAS' AVX-512 kernels compute products in another way, in another order.
  private static let smallProduct = 1_000_000

  /// Whether to compute a product of this shape here rather than by OpenBLAS: it is faster, or OpenBLAS' last bits
  /// would depend on the number of threads.
  package static func handles(rows: Int, columns: Int, inner: Int, threads: Int) -> Bool {
    guard isAvailable, inner > 0, rows > 0 else { return false }
    switch OpenBLAS.kernel {
    case .avx512: return rows <= rowLimit || rows * columns * inner <= smallProduct * threads
    case .avx2, .other: return rows <= rowLimit
    }
  }

  /// Whether there is a kernel for packed weights, which AVX2 benefits from.
  static let supportsPackedWeights = mlm_supports_packed_weights(instructions) != 0

  /// Whether a matrix can be packed.
  static func canPack(_ w: Matrix) -> Bool { supportsPackedWeights && w.columns > 0 && w.rows % Int(MLM_PANEL) == 0 }

  /// Packs a matrix into another one of the same size.
  package static func pack(_ w: Matrix, into packed: Matrix, on pool: WorkerPool) {
    pool.split(w.rows, alignment: Int(MLM_PANEL)) { _, rows in
      mlm_pack_weights(w.start, w.stride, rows.lowerBound, rows.upperBound, w.columns, packed.start)
    }
  }

  /// y = x·Wᵀ + b, with the columns distributed among the workers. The first row begins a tile of 12 rows; the last
  /// tile may be incomplete.
  ///
  /// - Parameters:
  ///   - isPacked: whether `w` is packed.
  ///   - following: the weights of the next product with as few rows, if there is one: each worker begins to prefetch
  ///     its share of them while it computes its last columns.
  package static func multiply(
    _ x: Matrix, _ w: Matrix, isPacked: Bool = false, bias: UnsafeMutablePointer<Float>?, into y: Matrix,
    following: Matrix? = nil, _ context: Context
  ) {
    // For OpenBLAS' AVX2 kernel, the order at the end of the last panel is unknown if the number of columns is not a
    // multiple of 8. OpenBLAS computes that panel itself.
    var columns = y.columns
    if OpenBLAS.kernel == .avx2, columns % 8 != 0 {
      columns = lastPanel(of: columns)
      multiplyByOpenBLAS(x, w, bias: bias, columns: columns..<y.columns, into: y, context)
    }
    var gemm = mlm_small_batch_gemm(
      x: x.start, x_stride: x.stride, rows: min(x.rows, rowsAtOnce), w: w.start, w_stride: w.stride,
      columns: w.rows, inner: w.columns, bias: bias, y: y.start, y_stride: y.stride, order: order,
      is_packed: isPacked ? 1 : 0)
    context.temporary {
      // Whole cache lines, so that no two workers write to one.
      let scratchStride = (mlm_small_batch_scratch(instructions, &gemm) + 15) & ~15
      let scratch = context.arena.floats(scratchStride * context.pool.threads)
      for row in stride(from: 0, to: x.rows, by: rowsAtOnce) {
        (gemm.x, gemm.y) = (UnsafePointer(x[row]), y[row])
        gemm.rows = min(rowsAtOnce, x.rows - row)
        // Workers that steal the last columns wait for each other half as long: a 21-token line takes 5 % less on a
        // machine with other load.
        let (pool, claimed) = (context.pool, mlm_small_batch_unit(instructions, &gemm))
        let (unit, allowsStealing) = claimed > 0 ? (claimed, true) : (16, false)
        pool.distribute(columns, unit: unit, allowsStealing: allowsStealing) { worker, queue in
          let start = ProductClock.begin()
          defer { ProductClock.end(start) }
          let scratch = scratch + worker * scratchStride
          mlm_small_batch_pack(instructions, &gemm, scratch)
          let following = following.flatMap { next in
            pool.initialShare(of: next.rows, unit: unit, allowsStealing: allowsStealing, worker: worker)
              .map { next[$0.lowerBound] }
          }
          while let part = queue.take() {
            let next = queue.next.map { w[$0.lowerBound] } ?? following
            mlm_small_batch_multiply(instructions, &gemm, part.lowerBound, part.upperBound, next, scratch)
          }
        }
      }
    }
  }

  /// The start of the last panel of columns of OpenBLAS' AVX2 kernel.
  private static func lastPanel(of columns: Int) -> Int {
    var start = 0
    while case let next = start + mlm_next_block(columns - start, 320, 8), next < columns { start = next }
    return start
  }

  /// Some columns, in full tiles of 12 rows.
  private static func multiplyByOpenBLAS(
    _ x: Matrix, _ w: Matrix, bias: UnsafeMutablePointer<Float>?, columns: Range<Int>, into y: Matrix,
    _ context: Context
  ) {
    context.temporary {
      let rows = (x.rows + 11) / 12 * 12
      let (full, result) = (context.matrix(rows, x.columns), context.matrix(rows, columns.count))
      full.rows(x.rows..<rows).setToZero()
      full.rows(0..<x.rows).copy(from: x)
      GEMM.multiply(
        full, .normal, w.rows(columns), .transposed, into: result, bias: bias.map { $0 + columns.lowerBound })
      y.columns(columns).copy(from: result.rows(0..<x.rows))
    }
  }
}
