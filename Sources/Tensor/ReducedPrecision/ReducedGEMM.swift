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
    fileprivate let readings: UnsafeMutablePointer<mlm_int8_row>
    fileprivate let rows, columns: Int
    fileprivate let format: ReducedFormat
    /// The columns that are zeros here, and their values: rows × columns.
    fileprivate let exactColumns: [Int]
    fileprivate let exact: Matrix?

    /// Whether these are the rows for products with a matrix.
    package func fit(_ w: ReducedWeights) -> Bool { format == w.format && exactColumns == w.exactColumns }
  }

  /// Narrows the rows of x into the context's memory, for products with a matrix and those that the rows `fit`. In
  /// int8, each row has its own scale and zero point.
  package static func narrow(_ x: Matrix, for w: ReducedWeights, _ context: Context) -> NarrowedRows {
    let (code, kernel) = (w.format.code, w.format.kernel)
    let stride = mlm_narrowed_stride(code, kernel, x.columns)
    let exactColumns = w.exactColumns
    let readings = UnsafeMutableRawPointer(context.arena.floats(2 * x.rows))
      .bindMemory(to: mlm_int8_row.self, capacity: x.rows)
    let narrowed = NarrowedRows(
      start: UnsafeMutableRawPointer(context.arena.floats((mlm_narrowed_rows(x.rows) * stride + 3) / 4)),
      stride: stride, readings: readings, rows: x.rows, columns: x.columns, format: w.format,
      exactColumns: exactColumns, exact: exactColumns.isEmpty ? nil : context.matrix(x.rows, exactColumns.count))
    context.pool.split(x.rows) { _, rows in
      guard let exact = narrowed.exact else {
        for row in rows {
          narrowed.readings[row] = mlm_narrow(code, kernel, x[row], x.columns, narrowed.start + row * stride)
        }
        return
      }
      withUnsafeTemporaryAllocation(of: Float.self, capacity: x.columns) { copy in
        guard let copy = copy.baseAddress else { return }
        for row in rows {
          copy.update(from: x[row], count: x.columns)
          for (index, column) in exactColumns.enumerated() {
            exact[row][index] = copy[column]
            copy[column] = 0
          }
          narrowed.readings[row] = mlm_narrow(code, kernel, copy, x.columns, narrowed.start + row * stride)
        }
      }
    }
    return narrowed
  }

  /// The columns that a worker takes at a time: two panels.
  private static let unit = 2 * ReducedWeights.panel

  /// y = x·Wᵀ + b. Packs the weights first, unless they are already packed (see `ReducedWeights`).
  ///
  /// - Parameter following: the weights of the next product, if known: each worker begins to prefetch its share of them
  ///   while it computes its last columns.
  package static func multiply(
    _ x: NarrowedRows, _ w: ReducedWeights, bias: UnsafeMutablePointer<Float>?, into y: Matrix,
    following: ReducedWeights? = nil, _ context: Context
  ) {
    guard x.rows > 0 else { return }
    guard w.isPacked else { return packAndMultiply(x, w, bias: bias, into: y, context) }
    let following = following.flatMap { $0.isPacked ? $0 : nil }
    let gemm = gemm(x, w, w.panels, 0..<w.rows, bias: bias, into: y)
    let pool = context.pool
    pool.distribute(w.rows, unit: unit, allowsStealing: true) { worker, queue in
      let start = ProductClock.begin()
      defer { ProductClock.end(start) }
      var gemm = gemm
      let following = following.flatMap { next in
        pool.initialShare(of: next.rows, unit: unit, allowsStealing: true, worker: worker)
          .map { next.panel(of: $0.lowerBound) }
      }
      while let part = queue.take() {
        let next = queue.next.map { w.panel(of: $0.lowerBound) } ?? following
        multiplyExactColumns(x, w, part, bias: bias, into: y)
        mlm_reduced_multiply(&gemm, part.lowerBound, part.upperBound, next)
      }
    }
  }

  /// Packs and multiplies two panels at a time, so that they are still in the cache. Packs into scratch memory if this
  /// is the first product and the file has the numbers that are packed.
  private static func packAndMultiply(
    _ x: NarrowedRows, _ w: ReducedWeights, bias: UnsafeMutablePointer<Float>?, into y: Matrix, _ context: Context
  ) {
    let keeps = w.isUsed || !w.hasSourceInFormat
    context.temporary {
      // Whole cache lines.
      let bytes = (ReducedWeights.bytes(rows: unit, columns: w.columns, as: w.format) + 63) / 64 * 64
      let scratch = UnsafeMutableRawPointer(context.arena.floats(keeps ? 0 : bytes / 4 * context.pool.threads))
      let packed = w.panels
      context.pool.distribute(w.rows, unit: unit, allowsStealing: true) { worker, queue in
        let start = ProductClock.begin()
        defer { ProductClock.end(start) }
        let own = w.panels(rows: unit, in: scratch + (keeps ? 0 : worker * bytes))
        var read = 0..<0
        while let part = queue.take() {
          // After its share, a worker takes a few rows at a time, between those of the others.
          if part.lowerBound < read.lowerBound || part.lowerBound - read.upperBound > w.rowsPerRelease {
            w.releaseSource(of: read)
            read = part.lowerBound..<part.lowerBound
          }
          for column in stride(from: part.lowerBound, to: part.upperBound, by: unit) {
            let columns = column..<min(column + unit, part.upperBound)
            let panels = keeps ? packed.from(column, w.panelBytes) : own
            w.pack(columns, into: panels)
            multiplyExactColumns(x, w, columns, bias: bias, into: y)
            var gemm = gemm(x, w, panels, columns, bias: bias, into: y)
            mlm_reduced_multiply(&gemm, 0, columns.count, nil)
            read = read.lowerBound..<columns.upperBound
            if read.count >= w.rowsPerRelease {
              w.releaseSource(of: read)
              read = columns.upperBound..<columns.upperBound
            }
          }
        }
      }
    }
    w.releaseSource(of: 0..<w.rows)
    (w.isPacked, w.isUsed) = (keeps, true)
  }

  /// The product of some columns, whose weights are packed in `panels`.
  private static func gemm(
    _ x: NarrowedRows, _ w: ReducedWeights, _ panels: ReducedWeights.Panels, _ columns: Range<Int>,
    bias: UnsafeMutablePointer<Float>?, into y: Matrix
  ) -> mlm_reduced_gemm {
    mlm_reduced_gemm(
      format: w.format.code, instructions: w.format.kernel, x: x.start, x_stride: x.stride, x_rows: x.readings,
      rows: x.rows, w: panels.numbers, w_scale: panels.scales, w_sum: panels.sums, columns: columns.count,
      inner: w.columns, bias: bias.map { $0 + columns.lowerBound }, adds: x.exact == nil ? 0 : 1,
      y: y.start + columns.lowerBound,
      y_stride: y.stride)
  }

  /// y = b + the product of the exact columns, to which the other columns' product is added; nothing without such
  /// columns.
  private static func multiplyExactColumns(
    _ x: NarrowedRows, _ w: ReducedWeights, _ columns: Range<Int>, bias: UnsafeMutablePointer<Float>?, into y: Matrix
  ) {
    guard let exact = x.exact, let weights = w.exact else { return }
    Elementwise.multiply(
      exact, weights.columns(columns), into: y.columns(columns), initial: bias.map { $0 + columns.lowerBound })
  }
}
