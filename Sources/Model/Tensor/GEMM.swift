import CBLAS

/// Whether a factor of a product is taken as it stands or transposed.
enum Orientation { case normal, transposed }

/// Matrix products by OpenBLAS, on one thread of its own: the workers of our pool share the work.
///
/// The result is cut among workers along its longer side, at places where every element comes out the same to the last bit for any
/// number of workers (measured with 0.3.21):
/// - Its kernels for AVX-512 add up every element alike, wherever it stands: any cut will do. (Only products below 10⁶
///   multiplications are computed in another way; `FewRows` takes those where it matters.)
/// - Its kernel for AVX2 works in tiles of 12 rows and panels of 320 columns: rows 0 to 5 of a tile are added up in another order
///   at a panel's edges than elsewhere, and incomplete tiles in a third. So rows are cut at multiples of 12, and columns at multiples of
///   320 if the rows are a multiple of 12 too.
enum GEMM {
  /// What rows of products whose last bits matter are to begin at, and their cuts.
  static let rowAlignment = FewRows.openBLASKernel == .avx512 ? 1 : 12
  private static let columnPanel = FewRows.openBLASKernel == .avx512 ? 32 : 320

  /// c = scale · a·b (+ c), with a or b transposed as asked. On the calling thread.
  @inline(__always)
  static func multiply(
    _ a: Matrix, _ aOrientation: Orientation = .normal, _ b: Matrix, _ bOrientation: Orientation = .normal,
    into c: Matrix, adding: Bool = false, scale: Float = 1
  ) {
    let inner = aOrientation == .normal ? a.columns : a.rows
    guard c.rows > 0, c.columns > 0 else { return }
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

  /// The same, shared among the workers of a pool. `epilogue` gets each worker's part of c while it is still in the cache.
  static func multiply(
    _ a: Matrix, _ aOrientation: Orientation = .normal, _ b: Matrix, _ bOrientation: Orientation = .normal,
    into c: Matrix, adding: Bool = false, scale: Float = 1, on pool: WorkerPool,
    epilogue: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void = { _, _ in }
  ) {
    let cutsRows =
      c.rows % rowAlignment != 0 || c.columns < 2 * columnPanel
      || (rowAlignment == 1 ? c.rows >= c.columns : c.rows >= 2 * rowAlignment * pool.threads)
    if pool.threads == 1 || cutsRows {
      pool.split(c.rows, alignment: max(rowAlignment, 4)) { _, rows in
        let part = aOrientation == .normal ? a.rows(rows) : a.columns(rows)
        multiply(part, aOrientation, b, bOrientation, into: c.rows(rows), adding: adding, scale: scale)
        epilogue(rows, 0..<c.columns)
      }
    } else {
      // What is left of a panel goes with the panel before it: OpenBLAS halves what is longer than one panel and shorter than
      // two, so a rest on its own would be tiled in another way.
      let panels = c.columns / columnPanel
      pool.split(panels) { _, part in
        let columns =
          part.lowerBound * columnPanel..<(part.upperBound < panels ? part.upperBound * columnPanel : c.columns)
        let part = bOrientation == .normal ? b.columns(columns) : b.rows(columns)
        multiply(a, aOrientation, part, bOrientation, into: c.columns(columns), adding: adding, scale: scale)
        epilogue(0..<c.rows, columns)
      }
    }
  }
}
