/// Sums over rows, gathers and scatters: the plain moves of data between the products.
package enum Rows {
  /// Every row becomes the bias.
  package static func set(_ y: Matrix, toBias bias: UnsafeMutablePointer<Float>) {
    for row in 0..<y.rows { y[row].update(from: bias, count: y.columns) }
  }

  /// Rows that are added up on their own, before their sums are.
  private static let block = 32

  /// Sums over rows that do not depend on how many workers there are: each block of rows is added up in order, then the blocks are.
  ///
  /// Each worker reads whole rows, those that it has elsewhere too. (Columns of its own, of all rows, need no such blocks. With two
  /// workers, that took three times as long as with one: half of it came from the other's cache, in pieces.)
  ///
  /// - Parameter add: adds what a row has to `count` sums.
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

  /// y[indices[i]] += x[i]; an index may occur more than once. Each worker has its own columns, so the order is fixed.
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
