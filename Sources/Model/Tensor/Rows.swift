/// Sums over rows, gathers and scatters: the plain moves of data between the products.
enum Rows {
  /// y += x, element by element.
  static func add(_ x: Matrix, to y: Matrix, on pool: WorkerPool) {
    pool.split(x.rows) { _, rows in
      for row in rows {
        let (from, to) = (x[row], y[row])
        forEachEight(x.columns) {
          to.setVector($0, to.vector($0) + from.vector($0))
        } scalar: {
          to[$0] += from[$0]
        }
      }
    }
  }

  /// Adds a bias to some columns of some rows.
  @inline(__always)
  static func add(bias: UnsafeMutablePointer<Float>, to y: Matrix, rows: Range<Int>, columns: Range<Int>) {
    let bias = bias + columns.lowerBound
    for row in rows {
      let y = y[row] + columns.lowerBound
      forEachEight(columns.count) {
        y.setVector($0, y.vector($0) + bias.vector($0))
      } scalar: {
        y[$0] += bias[$0]
      }
    }
  }

  /// total += the sum of x's rows (rows × n), row after row in order, each worker its own columns.
  static func addSum(of x: Matrix, to total: UnsafeMutablePointer<Float>, on pool: WorkerPool) {
    // Below some size the barrier costs more than it saves; the result is the same either way.
    let pool = x.count < 16_384 ? .serial : pool
    pool.split(x.columns, alignment: 16) { _, columns in
      let total = total + columns.lowerBound
      for row in 0..<x.rows {
        let x = x[row] + columns.lowerBound
        forEachEight(columns.count) {
          total.setVector($0, total.vector($0) + x.vector($0))
        } scalar: {
          total[$0] += x[$0]
        }
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
          let to = y[Int(indices[row])] + columns.lowerBound
          forEachEight(columns.count) {
            to.setVector($0, to.vector($0) + from.vector($0))
          } scalar: {
            to[$0] += from[$0]
          }
        }
      }
    }
  }
}
