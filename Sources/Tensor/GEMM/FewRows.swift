import CBLAS
import CKernels

/// y = x·Wᵀ + b for few rows of x, by kernels of ours that read W where it lies, or packed once for many products (`WeightPanels`).
///
/// OpenBLAS packs W first, which for few rows takes longer than the product. Ours takes a group of W's rows at a time through the
/// first- or second-level cache, with the next on their way.
///
/// GFLOP/s of one thread, ours / OpenBLAS 0.3.21, 768 → 3072, weights in the cache:
///
///     rows             1        6         24         48         96         144
///     AVX-512, Zen 5   27 / 9   133 / 41  218 / 147  236 / 189  236 / 217  244 / 230
///     AVX2, Zen 4      10 / 7   58 / 33   106 / 82   104 / 87   102 / 93   100 / 96
///
/// Tried and left:
/// - Dot products along W's rows without turning them (36 where turned panels did 75; and another order of additions).
/// - Query, key and value as one product, for 21 rows: within 1 %.
/// - More than 144 rows by this product (300, 520, all): predict, evaluate and fit stay the same within 3 %.
///
/// The sums are added up in the order in which OpenBLAS' kernels do it, so a row comes out the same to the last bit from either. That
/// order is known for its AVX-512 kernels and for its AVX2 kernel in full tiles of 12 rows.
package enum FewRows {
  /// `other` also where its blocks are not what ours provides for.
  static let openBLASKernel = openBLASBlock > 0 ? OpenBLAS.kernel : .other

  /// How many products OpenBLAS adds up before it adds their sum to the result; it differs from kernel to kernel. 0 where that is
  /// more than is provided for.
  ///
  /// Found by an experiment of some microseconds: 2²⁵ swallows the ones that are added to it singly, those of its block, but not the
  /// other blocks' sums. Asked at a row and a column where the AVX2 kernel, too, adds up one after the other.
  private static let openBLASBlock: Int = {
    let (rows, columns, inner) = (36, 32, 2 * Int(MLM_LARGEST_BLOCK))
    let arena = Arena()
    return withExtendedLifetime(arena) {
      let (x, w, y) = (
        arena.matrix(rows: rows, columns: inner), arena.matrix(rows: columns, columns: inner),
        arena.matrix(rows: rows, columns: columns)
      )
      x.start.update(repeating: 1, count: x.count)
      w.start.update(repeating: 1, count: w.count)
      x[rows - 1][0] = 0x1p25
      GEMM.multiply(x, .normal, w, .transposed, into: y)
      let block = inner - Int(y[rows - 1][columns / 2] - 0x1p25)
      return block > 0 && block <= inner / 2 && block % 16 == 0 ? block : 0
    }
  }()

  private static let order: mlm_order = {
    let block = openBLASBlock > 0 ? openBLASBlock : 320
    return mlm_order(
      block: block, multiple: openBLASKernel == .avx2 ? 8 : 16, splits_edges: openBLASKernel == .avx2 ? 1 : 0)
  }()

  private static let instructions = mlm_instructions()
  /// Where the processor has AVX2 and FMA.
  package static let isAvailable = instructions != MLM_BASELINE

  /// Up to so many rows ours is the faster: all, where OpenBLAS makes do with AVX2 and ours takes AVX-512.
  package static let rowLimit = instructions == MLM_AVX512 && openBLASKernel == .avx2 ? Int.max : 144

  /// So many rows go through the weights together, full tiles: more would need packed copies of tens of megabytes.
  private static let rowsAtOnce = 504

  /// OpenBLAS' AVX-512 kernels compute products of at most this size by other means, in another order.
  private static let smallProduct = 1_000_000

  /// Whether this is the product for a shape, and in last bits what OpenBLAS would give if OpenBLAS gives always the same.
  package static func takes(rows: Int, columns: Int, inner: Int, threads: Int) -> Bool {
    guard isAvailable, inner > 0, rows > 0 else { return false }
    switch openBLASKernel {
    case .avx512: return rows <= rowLimit || rows * columns * inner <= smallProduct * threads
    case .avx2, .other: return rows <= rowLimit
    }
  }

  /// Whether there are products of packed weights, which AVX2 gains by.
  static let takesPanels = mlm_takes_panels(instructions) != 0

  /// Whether a matrix can be packed.
  static func packs(_ w: Matrix) -> Bool { takesPanels && w.columns > 0 && w.rows % Int(MLM_PANEL) == 0 }

  /// Packs a matrix for products of few rows.
  ///
  /// - Parameter panels: of the same size; where a row that is a multiple of `MLM_PANEL` begins, such a panel does.
  package static func pack(_ w: Matrix, into panels: Matrix, on pool: WorkerPool) {
    pool.split(w.rows, alignment: Int(MLM_PANEL)) { _, rows in
      mlm_pack_panels(w.start, w.stride, rows.lowerBound, rows.upperBound, w.columns, panels.start)
    }
  }

  /// y = x·Wᵀ + b, the columns shared among the workers. Rows that begin a tile of 12 are so taken; the last one need not be full.
  ///
  /// - Parameters:
  ///   - arePanels: `w` is packed.
  ///   - following: the weights of the product after this one, of as few rows, if there is one: each worker begins to fetch its
  ///     share of them while it computes its last columns.
  package static func multiply(
    _ x: Matrix, _ w: Matrix, arePanels: Bool = false, bias: UnsafeMutablePointer<Float>?, into y: Matrix,
    following: Matrix? = nil, _ context: Context
  ) {
    // The order at the end of the last panel is not known for OpenBLAS' AVX2 kernel if that is not a multiple of 8: it computes it.
    var columns = y.columns
    if openBLASKernel == .avx2, columns % 8 != 0 {
      columns = lastPanel(of: columns)
      multiplyByOpenBLAS(x, w, bias: bias, columns: columns..<y.columns, into: y, context)
    }
    var product = mlm_few_rows(
      x: x.start, x_stride: x.stride, rows: min(x.rows, rowsAtOnce), w: w.start, w_stride: w.stride,
      columns: w.rows, inner: w.columns, bias: bias, y: y.start, y_stride: y.stride, order: order,
      is_packed: arePanels ? 1 : 0)
    context.temporary {
      // A cache line apart, so that no two workers write to one.
      let scratchStride = (mlm_few_rows_scratch(instructions, &product) + 15) & ~15
      let scratch = context.arena.floats(scratchStride * context.pool.threads)
      for row in stride(from: 0, to: x.rows, by: rowsAtOnce) {
        (product.x, product.y) = (UnsafePointer(x[row]), y[row])
        product.rows = min(rowsAtOnce, x.rows - row)
        // Workers that take the last columns as they come wait for each other half as long: a 21-token line takes 5 % less on a machine
        // with neighbours.
        let (pool, dealt) = (context.pool, mlm_few_rows_unit(instructions, &product))
        let (unit, sharesRest) = dealt > 0 ? (dealt, true) : (16, false)
        pool.deal(columns, unit: unit, sharesRest: sharesRest) { worker, hand in
          let start = ProductClock.begin()
          defer { ProductClock.end(start) }
          let scratch = scratch + worker * scratchStride
          mlm_few_rows_pack(instructions, &product, scratch)
          let following = following.flatMap { next in
            pool.first(of: next.rows, unit: unit, sharesRest: sharesRest, worker: worker).map { next[$0.lowerBound] }
          }
          while let part = hand.take() {
            let next = hand.next.map { w[$0.lowerBound] } ?? following
            mlm_few_rows_product(instructions, &product, part.lowerBound, part.upperBound, next, scratch)
          }
        }
      }
    }
  }

  /// Where the last of the panels begins that OpenBLAS' AVX2 kernel cuts some columns into.
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
