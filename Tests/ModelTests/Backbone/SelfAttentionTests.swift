import Glibc
import TestSupport
import Testing

@testable import Model
@testable import Tensor

@Suite struct SelfAttentionTests {
  /// Three samples of different lengths, one of a single row; the selection leaves the second sample without a row.
  static let lengths = [4, 1, 6]
  static let masks = [[1, 3], [], [0, 2, 5]]
  static let batch = Batch(
    zip(lengths, masks).map { length, masks in
      Sample(tokenIDs: [Int32](repeating: 0, count: length), maskPositions: masks.map { Int32($0) })
    })

  private func attention(_ bench: Bench, width: Int, heads: Int, rate: Float = 0) throws -> SelfAttention {
    SelfAttention(
      query: try bench.dense(width, width), key: try bench.dense(width, width), value: try bench.dense(width, width),
      output: try bench.dense(width, width), heads: heads, dropout: Dropout(rate: rate, site: 3))
  }

  @Test(arguments: [(6, 2), (8, 1), (15, 3)], [1, 2, 3])
  func forwardIsTheFormula(_ shape: (width: Int, heads: Int), _ threads: Int) throws {
    try Bench.run(threads: threads) { bench in
      let attention = try attention(bench, width: shape.width, heads: shape.heads)
      let x = bench.matrix(Self.batch.tokens.rowCount, shape.width)
      let y = bench.matrix(x.rows, shape.width)
      _ = attention.forward(x, Self.batch.tokens, from: x, Self.batch.tokens, nil, into: y, bench.context)
      let expected = formula(attention, x, shape.heads)
      #expect(zip(y.array, expected).allSatisfy { abs(Double($0) - $1) < 1e-5 })
    }
  }

  private func formula(_ attention: SelfAttention, _ x: Matrix, _ heads: Int) -> [Double] {
    func apply(_ dense: Dense, _ rows: [[Double]]) -> [[Double]] {
      rows.map { row in
        (0..<dense.bias.count).map { out in
          row.indices.reduce(Double(dense.bias.values[out])) { $0 + row[$1] * Double(dense.weight.matrix[out][$1]) }
        }
      }
    }
    let rows = (0..<x.rows).map { row in (0..<x.columns).map { Double(x[row][$0]) } }
    let (q, k, v) = (apply(attention.query, rows), apply(attention.key, rows), apply(attention.value, rows))
    let width = x.columns / heads
    var c = rows
    for sample in 0..<Self.lengths.count {
      let range = Self.batch.tokens.range(sample)
      for head in 0..<heads {
        let columns = head * width..<(head + 1) * width
        for row in range {
          let scores = range.map { other in
            columns.reduce(0) { $0 + q[row][$1] * k[other][$1] } / Double(width).squareRoot()
          }
          let powers = scores.map { Glibc.exp($0) }
          let total = powers.reduce(0, +)
          for column in columns {
            c[row][column] = zip(range, powers).reduce(0) { $0 + v[$1.0][column] * $1.1 / total }
          }
        }
      }
    }
    return apply(attention.output, c).flatMap { $0 }
  }

  @Test(arguments: [(6, 2), (7, 1)], [false, true])
  func backwardOfAllRows(_ shape: (width: Int, heads: Int), _ drops: Bool) throws {
    try check(shape, selected: false, drops: drops, threads: 1)
    try check(shape, selected: false, drops: drops, threads: 3)
  }

  @Test(arguments: [(6, 2), (7, 1)], [false, true])
  func backwardOfSelectedRows(_ shape: (width: Int, heads: Int), _ drops: Bool) throws {
    try check(shape, selected: true, drops: drops, threads: 2)
  }

  private func check(_ shape: (width: Int, heads: Int), selected: Bool, drops: Bool, threads: Int) throws {
    let key = drops ? DropoutKey(seed: 2, step: 5) : nil
    let keys = Self.batch.tokens
    let queries = selected ? Self.batch.masks : keys
    try Bench.run(threads: threads) { bench in
      let attention = try attention(bench, width: shape.width, heads: shape.heads, rate: 0.3)
      let x = bench.matrix(keys.rowCount, shape.width)
      // The query rows are a separate input here.
      let xq = bench.matrix(queries.rowCount, shape.width)
      let y = bench.matrix(xq.rows, shape.width)
      let memory = attention.forward(x, keys, from: xq, queries, key, into: y, bench.context)
      let dy = bench.matrix(xq.rows, shape.width)
      let (dxq, dx) = (bench.zeros(xq.rows, shape.width), bench.zeros(x.rows, shape.width))
      attention.backward(dy, memory, keys, queries, key, addingTo: dxq, keysTo: dx, bench.context)
      func loss() -> Double {
        bench.context.temporary {
          _ = attention.forward(x, keys, from: xq, queries, key, into: y, bench.context)
          return weighted(y, dy)
        }
      }
      expectDifferences("x", of: x, are: dx, loss: loss)
      expectDifferences("xq", of: xq, are: dxq, loss: loss)
      for dense in [attention.query, attention.key, attention.value, attention.output] {
        try expectDifferences(of: dense.weight, loss: loss)
        try expectDifferences(of: dense.bias, loss: loss)
      }
    }
  }

  @Test func dropoutIsTheSameForTheSameKeyAndForSelectedRows() throws {
    try Bench.run { bench in
      let attention = try attention(bench, width: 8, heads: 2, rate: 0.5)
      let (keys, queries) = (Self.batch.tokens, Self.batch.masks)
      let x = bench.matrix(keys.rowCount, 8)
      let xq = bench.matrix(queries.rowCount, 8)
      Rows.gather(x, Self.batch.maskedRows, into: xq, on: .serial)
      func all(_ step: Int) -> Matrix {
        let y = bench.matrix(keys.rowCount, 8)
        _ = attention.forward(x, keys, from: x, keys, DropoutKey(seed: 1, step: step), into: y, bench.context)
        return y
      }
      let y = all(1)
      #expect(y.bits == all(1).bits && y.bits != all(2).bits)
      let some = bench.matrix(queries.rowCount, 8)
      _ = attention.forward(x, keys, from: xq, queries, DropoutKey(seed: 1, step: 1), into: some, bench.context)
      let gathered = bench.matrix(queries.rowCount, 8)
      Rows.gather(y, Self.batch.maskedRows, into: gathered, on: .serial)
      #expect(largestDifference(some.array, gathered.array) < 1e-5)
    }
  }
}
