import CBLAS
import Files

/// Whether a factor of a product is taken as it stands or transposed.
package enum Orientation { case normal, transposed }

/// Matrix products by OpenBLAS, on one thread of its own: the workers of our pool share the work.
///
/// The result is cut among workers at places where every element comes out the same to the last bit for any number of workers (measured
/// with 0.3.21):
/// - Its kernels for AVX-512 add up every element alike, wherever it stands: any cut will do. (Only products below 10⁶
///   multiplications are computed in another way; `SmallBatchGEMM` handles those where it matters.)
/// - Its kernel for AVX2 works in tiles of 12 rows and panels of 320 columns: rows 0 to 5 of a tile are added up in another order
///   at a panel's edges than elsewhere, and incomplete tiles in a third. So rows are cut at multiples of 12, and columns at multiples of
///   320 if the rows are a multiple of 12 too.
package enum GEMM {
  /// What rows of products whose last bits matter are to begin at, and their cuts.
  package static let rowAlignment = OpenBLAS.kernel == .avx512 ? 1 : 12
  private static let columnPanel = OpenBLAS.kernel == .avx512 ? 32 : 320

  /// c = scale · a·b (+ c), with a or b transposed as asked. On the calling thread.
  ///
  /// - Parameter bias: what every row of c begins with, instead of zeros: the sums are added to it, which costs no pass of its own over
  ///   c as adding it afterwards would (2 % of a training step of 8 × 128 tokens, as of 32 × 128).
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

  /// The same, shared among the workers of a pool.
  package static func multiply(
    _ a: Matrix, _ aOrientation: Orientation = .normal, _ b: Matrix, _ bOrientation: Orientation = .normal,
    into c: Matrix, adding: Bool = false, bias: UnsafeMutablePointer<Float>? = nil, scale: Float = 1,
    on pool: WorkerPool
  ) {
    // OpenBLAS halves what is longer than one panel and shorter than two: a rest on its own would be tiled in another way.
    let cutsColumns = c.rows % rowAlignment == 0 && c.columns >= 2 * columnPanel
    let inner = aOrientation == .normal ? a.columns : a.rows
    let shares = followsSpeeds(c.rows * c.columns * inner, pool) ? pool.shares : nil
    let partition = GEMMPartition(
      rows: c.rows, columns: c.columns, rowUnit: max(rowAlignment, 4), columnUnit: cutsColumns ? columnPanel : nil,
      workers: pool.threads, bounds: shares.map { UnsafePointer($0.bounds) })
    func compute(_ part: Int) {
      let (rows, columns) = partition[part]
      multiply(
        aOrientation == .normal ? a.rows(rows) : a.columns(rows), aOrientation,
        bOrientation == .normal ? b.columns(columns) : b.rows(columns), bOrientation,
        into: c.rows(rows).columns(columns), adding: adding, bias: bias.map { $0 + columns.lowerBound }, scale: scale)
    }
    guard let shares, partition.parts == pool.threads else {
      return pool.split(partition.parts) { _, parts in parts.forEach(compute) }
    }
    pool.run { worker in
      let start = MonotonicClock.seconds
      compute(worker)
      shares.note(worker, seconds: MonotonicClock.seconds - start)
    }
    shares.adapt { worker in
      let (rows, columns) = partition[worker]
      return Double(rows.count * columns.count)
    }
  }

  /// Whether a product of so many multiplications is to be cut by how fast the workers are, and not equally. Not where that could show
  /// in its last bits: where the order of additions is not known, and where parts could become so small that they are computed in
  /// another way.
  private static func followsSpeeds(_ multiplications: Int, _ pool: WorkerPool) -> Bool {
    pool.threads > 1 && OpenBLAS.kernel != .other && multiplications / pool.threads >= 32_000_000
  }
}
