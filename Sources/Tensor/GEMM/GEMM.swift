import CBLAS

/// Whether a factor of a product is transposed.
package enum Orientation { case normal, transposed }

/// Matrix products by OpenBLAS, which runs on one thread: the workers of a `WorkerPool` share the work.
///
/// The result is cut among workers so that every element is the same to the last bit for any number of workers
/// (measured with 0.3.21):
/// - The AVX-512 kernels add up every element in the same order, so any cut works. (Only products below 10⁶
///   multiplications are computed in another way; `SmallBatchGEMM` handles those where it matters.)
/// - The AVX2 kernel works in tiles of 12 rows and panels of 320 columns: rows 0 to 5 of a tile are added up in another
///   order at a panel's edges than elsewhere, and incomplete tiles in a third. So rows are cut at multiples of 12, and
///   columns at multiples of 320 if the rows are a multiple of 12 too.
package enum GEMM {
  /// The row alignment for products whose last bits matter: they begin, and are cut, at multiples of it.
  package static let rowAlignment = OpenBLAS.kernel == .avx512 ? 1 : 12
  private static let columnPanel = OpenBLAS.kernel == .avx512 ? 32 : 320

  /// c = scale · a·b (+ c), with a or b transposed as specified, on the calling thread.
  ///
  /// - Parameter bias: the initial value of every row of c, instead of zeros. Adding it afterwards would take another
  ///   pass over c (2 % of a training step of 8 × 128 tokens, and of 32 × 128).
  @inline(__always)
  package static func multiply(
    _ a: Matrix, _ aOrientation: Orientation = .normal, _ b: Matrix, _ bOrientation: Orientation = .normal,
    into c: Matrix, adding: Bool = false, bias: UnsafeMutablePointer<Float>? = nil, scale: Float = 1
  ) {
    let inner = aOrientation == .normal ? a.columns : a.rows
    guard c.rows > 0, c.columns > 0 else { return }
    if let bias { Rows.set(c, toBias: bias) }
    let adding = adding || bias != nil
    guard inner > 0 else {
      if !adding { c.setToZero() }
      return
    }
    _ = OpenBLAS.prepared
    let start = ProductClock.begin()
    defer { ProductClock.end(start) }
    cblas_sgemm(
      CblasRowMajor, aOrientation == .normal ? CblasNoTrans : CblasTrans,
      bOrientation == .normal ? CblasNoTrans : CblasTrans, blasint(c.rows), blasint(c.columns), blasint(inner), scale,
      a.start, blasint(a.stride), b.start, blasint(b.stride), adding ? 1 : 0, c.start, blasint(c.stride))
  }

  /// The same product, distributed among the workers of a pool.
  package static func multiply(
    _ a: Matrix, _ aOrientation: Orientation = .normal, _ b: Matrix, _ bOrientation: Orientation = .normal,
    into c: Matrix, adding: Bool = false, bias: UnsafeMutablePointer<Float>? = nil, scale: Float = 1,
    on pool: WorkerPool
  ) {
    // OpenBLAS halves a range longer than one panel and shorter than two: a separate remainder would be tiled
    // differently.
    let cutsColumns = c.rows % rowAlignment == 0 && c.columns >= 2 * columnPanel
    // Parts of equal size. (Load balancing by measured core speed made no step of `fit` 5 % faster: 0.99 to 1.02 of the
    // time on two cores of an Emerald Rapids, also with other load on one of them.)
    let partition = GEMMPartition(
      rows: c.rows, columns: c.columns, rowUnit: max(rowAlignment, 4), columnUnit: cutsColumns ? columnPanel : nil,
      workers: pool.threads)
    func compute(_ part: Int) {
      let (rows, columns) = partition[part]
      multiply(
        aOrientation == .normal ? a.rows(rows) : a.columns(rows), aOrientation,
        bOrientation == .normal ? b.columns(columns) : b.rows(columns), bOrientation,
        into: c.rows(rows).columns(columns), adding: adding, bias: bias.map { $0 + columns.lowerBound }, scale: scale)
    }
    pool.split(partition.parts) { _, parts in parts.forEach(compute) }
  }
}
