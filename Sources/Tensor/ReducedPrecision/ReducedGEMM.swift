import CKernels

/// y = x·Wᵀ + b in reduced precision, for any number of rows.
///
/// A row's result depends neither on the other rows nor on the number of threads. In int8, it does not depend on the
/// instruction set either, because the sums are exact.
package enum ReducedGEMM {
  /// Rows of x in reduced precision, for the products of one format.
  package struct NarrowedRows {
    fileprivate let start: UnsafeMutableRawPointer
    fileprivate let stride: Int
    fileprivate let scales: UnsafeMutablePointer<Float>
    fileprivate let rows, columns: Int
    package let format: ReducedFormat
  }

  /// Narrows the rows of x into the context's memory. In int8, each row has its own scale.
  package static func narrow(_ x: Matrix, as format: ReducedFormat, _ context: Context) -> NarrowedRows {
    let (code, kernel) = (format.code, format.kernel)
    let stride = mlm_narrowed_stride(code, kernel, x.columns)
    let narrowed = NarrowedRows(
      start: UnsafeMutableRawPointer(context.arena.floats((mlm_narrowed_rows(x.rows) * stride + 3) / 4)),
      stride: stride, scales: context.arena.floats(x.rows), rows: x.rows, columns: x.columns, format: format)
    context.pool.split(x.rows) { _, rows in
      for row in rows {
        narrowed.scales[row] = mlm_narrow(code, kernel, x[row], x.columns, narrowed.start + row * stride)
      }
    }
    return narrowed
  }

  /// The columns that a worker takes at a time: two panels.
  private static let unit = 2 * ReducedWeights.panel

  /// y = x·Wᵀ + b. Packs the weights first if they are not yet packed.
  ///
  /// - Parameter following: the weights of the next product, if known: each worker begins to prefetch its share of them
  ///   while it computes its last columns.
  package static func multiply(
    _ x: NarrowedRows, _ w: ReducedWeights, bias: UnsafeMutablePointer<Float>?, into y: Matrix,
    following: ReducedWeights? = nil, _ context: Context
  ) {
    guard x.rows > 0 else { return }
    let gemm = mlm_reduced_gemm(
      format: w.format.code, instructions: w.format.kernel, x: x.start, x_stride: x.stride, x_scale: x.scales,
      rows: x.rows, w: w.panels, w_scale: w.scales, w_sum: w.sums, columns: w.rows, inner: w.columns, bias: bias,
      adds: 0, y: y.start, y_stride: y.stride)
    let (pool, packs) = (context.pool, !w.isPacked)
    pool.distribute(w.rows, unit: unit, allowsStealing: true) { worker, queue in
      let start = ProductClock.begin()
      defer { ProductClock.end(start) }
      var gemm = gemm
      let following = following.flatMap { next in
        pool.initialShare(of: next.rows, unit: unit, allowsStealing: true, worker: worker)
          .map { next.panel(of: $0.lowerBound) }
      }
      while let part = queue.take() {
        if packs {
          // Panel by panel, so that each is still in the cache.
          for column in stride(from: part.lowerBound, to: part.upperBound, by: unit) {
            let columns = column..<min(column + unit, part.upperBound)
            w.pack(columns)
            mlm_reduced_multiply(&gemm, columns.lowerBound, columns.upperBound, nil)
          }
        } else {
          let next = queue.next.map { w.panel(of: $0.lowerBound) } ?? following
          mlm_reduced_multiply(&gemm, part.lowerBound, part.upperBound, next)
        }
      }
    }
    if packs { w.isPacked = true }
  }
}
