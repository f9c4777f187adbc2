/// Sums over rows, gathers and scatters: the plain moves of data between the products.
enum Rows {
  /// y += x, element by element.
  static func add(_ x: Matrix, to y: Matrix, on pool: WorkerPool) {
    pool.split(x.rows) { _, rows in
      for row in rows {
        Elementwise.add(x[row], to: y[row], x.columns)
      }
    }
  }

  /// y = x.
  static func copy(_ x: Matrix, to y: Matrix, on pool: WorkerPool) {
    pool.split(x.rows) { _, rows in y.rows(rows).copy(from: x.rows(rows)) }
  }

  /// Adds a bias to some columns of some rows.
  @inline(__always)
  static func add(bias: UnsafeMutablePointer<Float>, to y: Matrix, rows: Range<Int>, columns: Range<Int>) {
    let bias = bias + columns.lowerBound
    for row in rows {
      Elementwise.add(bias, to: y[row] + columns.lowerBound, columns.count)
    }
  }

  /// total += the sum of x's rows (rows × n), row after row in order, each worker its own columns.
  static func addSum(of x: Matrix, to total: UnsafeMutablePointer<Float>, on pool: WorkerPool) {
    // Below some size the barrier costs more than it saves; the result is the same either way.
    let pool = x.count < 16_384 ? .serial : pool
    pool.split(x.columns, alignment: 16) { _, columns in
      let total = total + columns.lowerBound
      for row in 0..<x.rows {
        Elementwise.add(x[row] + columns.lowerBound, to: total, columns.count)
      }
    }
  }

  /// y[i] = x[indices[i]].
  static func gather(_ x: Matrix, _ indices: [Int32], into y: Matrix, on pool: WorkerPool) {
    indices.withUnsafeBufferPointer { indices in
      pool.split(y.rows) { _, rows in
        for row in rows { y[row].update(from: x[Int(indices[row])], count: x.columns) }
      }
    }
  }

  /// y[indices[i]] += x[i]; an index may occur more than once. Each worker has its own columns, so the order is fixed.
  static func scatterAdd(_ x: Matrix, _ indices: [Int32], to y: Matrix, on pool: WorkerPool) {
    indices.withUnsafeBufferPointer { indices in
      pool.split(x.columns, alignment: 16) { _, columns in
        for row in 0..<x.rows {
          let from = x[row] + columns.lowerBound
          Elementwise.add(from, to: y[Int(indices[row])] + columns.lowerBound, columns.count)
        }
      }
    }
  }
}
