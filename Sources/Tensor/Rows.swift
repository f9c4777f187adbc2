/// Sums over rows, gathers and scatters: the movement of data between products.
package enum Rows {
  /// Sets every row to the bias.
  package static func set(_ y: Matrix, toBias bias: UnsafeMutablePointer<Float>) {
    for row in 0..<y.rows { y[row].update(from: bias, count: y.columns) }
  }

  /// The number of rows in a block, which are added up separately.
  private static let block = 32

  /// Sums over the rows of each block, in order. The caller adds up the blocks in order, so that the result does not
  /// depend on the number of workers.
  ///
  /// Each worker reads whole rows, the same ones as in other computations. (With some columns of all rows for each
  /// worker, blocks are unnecessary. But two workers took three times as long as one, as they read half of the data
  /// from each other's caches, in pieces.)
  ///
  /// - Parameter add: adds a row to `count` sums.
  /// - Returns: blocks × count.
  package static func blockSums(
    rows: Int, count: Int, _ context: Context, add: (_ row: Int, _ sums: UnsafeMutablePointer<Float>) -> Void
  ) -> Matrix {
    let sums = context.matrix((rows + block - 1) / block, count)
    context.pool.split(sums.rows) { _, blocks in
      for index in blocks {
        sums[index].update(repeating: 0, count: count)
        for row in index * block..<min(rows, (index + 1) * block) { add(row, sums[index]) }
      }
    }
    return sums
  }

  /// total += the sum of x's rows (rows × n).
  package static func addSum(of x: Matrix, to total: UnsafeMutablePointer<Float>, _ context: Context) {
    context.temporary {
      let sums = blockSums(rows: x.rows, count: x.columns, context) { row, sums in
        Elementwise.add(x[row], to: sums, x.columns)
      }
      for block in 0..<sums.rows { Elementwise.add(sums[block], to: total, x.columns) }
    }
  }

  /// y[i] = x[indices[i]].
  package static func gather(_ x: Matrix, _ indices: [Int32], into y: Matrix, on pool: WorkerPool) {
    indices.withUnsafeBufferPointer { indices in
      pool.split(y.rows) { _, rows in
        for row in rows { y[row].update(from: x[Int(indices[row])], count: x.columns) }
      }
    }
  }

  /// y[indices[i]] += x[i]; an index may occur more than once. Each worker has separate columns, so the order is fixed.
  package static func scatterAdd(_ x: Matrix, _ indices: [Int32], to y: Matrix, on pool: WorkerPool) {
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
