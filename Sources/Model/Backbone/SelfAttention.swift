import Tensor

/// Multi-head self-attention within each sample (Vaswani et al. 2017).
///
///     S = q·kᵀ / √(head width)     P = softmax(S)     c = dropout(P)·v     y = c·Woᵀ + bo
///
/// per sample and head; q, k, v are dense layers of the input.
struct SelfAttention {
  let query, key, value, output: Dense
  let heads: Int
  let dropout: Dropout

  struct SavedActivations {
    let x, xq, q, k, v, c: Matrix
    /// The probabilities before dropout: per sample and head, query rows × key rows.
    let probabilities: UnsafeMutablePointer<Float>
    /// The offset of each sample's probabilities.
    let starts: [Int]
  }

  /// - Parameters:
  ///   - x: the rows to attend to (keys and values), with layout `keys`.
  ///   - xq: the rows that attend, with layout `queries`: x itself, or some of its rows.
  func forward(
    _ x: Matrix, _ keys: RowLayout, from xq: Matrix, _ queries: RowLayout, _ dropoutKey: DropoutKey?, into y: Matrix,
    _ context: Context
  ) -> SavedActivations {
    let (q, k, v) = (
      context.matrix(xq.rows, xq.columns), context.matrix(x.rows, x.columns), context.matrix(x.rows, x.columns)
    )
    if xq.start == x.start {
      Dense.forward(x, [(query, q), (key, k), (value, v)], context)
    } else {
      query.forward(xq, into: q, context)
      Dense.forward(x, [(key, k), (value, v)], context)
    }

    let starts = probabilityStarts(queries, keys)
    let saved = SavedActivations(
      x: x, xq: xq, q: q, k: k, v: v, c: context.matrix(xq.rows, xq.columns),
      probabilities: context.arena.floats(starts.last ?? 0), starts: starts)
    queries.forEachGap { saved.c.rows($0).setToZero() }
    if query.weight.reduced != nil {
      attendInOrder(saved, queries, keys, context)
      return finish(saved, into: y, context)
    }
    let dropoutKey = dropout.isActive ? dropoutKey : nil
    context.temporary {
      let largest = queries.longest * keys.longest
      let scratch = context.arena.floats(dropoutKey == nil ? 0 : largest * context.pool.threads)
      context.pool.forEach(queries.sampleCount * heads) { worker, item in
        let part = Part(self, saved, queries, keys, item)
        let p = part.probabilities
        GEMM.multiply(
          part.block(q, part.queryRows), .normal, part.block(k, part.keyRows), .transposed, into: p, scale: part.scale)
        for row in 0..<p.rows { Softmax.apply(p[row], p.columns) }
        var dropped = p
        if let dropoutKey {
          dropped = Matrix(scratch + worker * largest, rows: p.rows, columns: p.columns)
          drop(p, into: dropped, part, queries, dropoutKey)
        }
        GEMM.multiply(
          dropped, .normal, part.block(v, part.keyRows), .normal, into: part.block(saved.c, part.queryRows))
      }
    }
    return finish(saved, into: y, context)
  }

  private func finish(_ saved: SavedActivations, into y: Matrix, _ context: Context) -> SavedActivations {
    output.forward(saved.c, into: y, context)
    return saved
  }

  /// The same products for weights in reduced precision, without dropout, summed in one order on all instruction sets
  /// (OpenBLAS' order depends on its kernel).
  private func attendInOrder(_ saved: SavedActivations, _ queries: RowLayout, _ keys: RowLayout, _ context: Context) {
    let width = saved.q.columns / heads
    context.temporary {
      // Whole cache lines.
      let longest = (keys.longest + 15) & ~15
      let scratch = context.arena.floats(longest * width * context.pool.threads)
      context.pool.forEach(queries.sampleCount * heads) { worker, item in
        let part = Part(self, saved, queries, keys, item)
        let p = part.probabilities
        let k = Matrix(scratch + longest * width * worker, rows: width, columns: p.columns, stride: longest)
        part.block(saved.k, part.keyRows).transpose(into: k)
        Elementwise.multiply(part.block(saved.q, part.queryRows), k, into: p, factor: part.scale, readable: longest)
        for row in 0..<p.rows { Softmax.apply(p[row], p.columns) }
        Elementwise.multiply(p, part.block(saved.v, part.keyRows), into: part.block(saved.c, part.queryRows))
      }
    }
  }

  /// Adds the gradient through the queries to dxq, and the gradient through keys and values to dx, if given. The two
  /// may be the same matrix.
  func backward(
    _ dy: Matrix, _ saved: SavedActivations, _ keys: RowLayout, _ queries: RowLayout, _ dropoutKey: DropoutKey?,
    addingTo dxq: Matrix?, keysTo dx: Matrix?, _ context: Context
  ) {
    let (q, k, v) = (saved.q, saved.k, saved.v)
    let dropoutKey = dropout.isActive ? dropoutKey : nil
    context.temporary {
      // y = c·Woᵀ + bo
      let dc = context.matrix(dy.rows, saved.c.columns)
      output.backward(dy, x: saved.c, into: dc, context)

      let (dq, dk, dv) = (
        context.matrix(q.rows, q.columns), context.matrix(k.rows, k.columns), context.matrix(v.rows, v.columns)
      )
      queries.forEachGap { dq.rows($0).setToZero() }
      keys.forEachGap {
        dk.rows($0).setToZero()
        dv.rows($0).setToZero()
      }
      let largest = queries.longest * keys.longest
      let scratch = context.arena.floats(2 * largest * context.pool.threads)
      context.pool.forEach(queries.sampleCount * heads) { worker, item in
        let part = Part(self, saved, queries, keys, item)
        let p = part.probabilities
        let dp = Matrix(scratch + 2 * worker * largest, rows: p.rows, columns: p.columns)
        // c = dropout(P)·v
        var dropped = p
        if let dropoutKey {
          dropped = Matrix(scratch + (2 * worker + 1) * largest, rows: p.rows, columns: p.columns)
          drop(p, into: dropped, part, queries, dropoutKey)
        }
        let dcPart = part.block(dc, part.queryRows)
        GEMM.multiply(dropped, .transposed, dcPart, .normal, into: part.block(dv, part.keyRows))
        GEMM.multiply(dcPart, .normal, part.block(v, part.keyRows), .transposed, into: dp)
        if let dropoutKey { drop(dp, into: dp, part, queries, dropoutKey) }
        // P = softmax(S)
        for row in 0..<p.rows { Softmax.backward(dp[row], p: p[row], p.columns) }
        // S = q·kᵀ / √(head width)
        let (qPart, kPart) = (part.block(q, part.queryRows), part.block(k, part.keyRows))
        GEMM.multiply(dp, .normal, kPart, .normal, into: part.block(dq, part.queryRows), scale: part.scale)
        GEMM.multiply(dp, .transposed, qPart, .normal, into: part.block(dk, part.keyRows), scale: part.scale)
      }

      value.backward(dv, x: saved.x, into: dx, adding: true, context)
      key.backward(dk, x: saved.x, into: dx, adding: true, context)
      query.backward(dq, x: saved.xq, into: dxq, adding: true, context)
    }
  }

  private func probabilityStarts(_ queries: RowLayout, _ keys: RowLayout) -> [Int] {
    var starts = [0]
    starts.reserveCapacity(queries.sampleCount + 1)
    for sample in 0..<queries.sampleCount {
      starts.append(starts[sample] + heads * queries.lengths[sample] * keys.lengths[sample])
    }
    return starts
  }

  private func drop(_ p: Matrix, into dropped: Matrix, _ part: Part, _ queries: RowLayout, _ key: DropoutKey) {
    for row in 0..<p.rows {
      let queryRow = part.queryRows.lowerBound + row
      dropout.apply(
        p[row], into: dropped[row], p.columns, sample: queries.sampleKeys[queryRow],
        row: Int(queries.tokenIndices[queryRow]) * heads + part.head, key)
    }
  }

  /// One sample and one head.
  private struct Part {
    let head: Int
    let queryRows, keyRows: Range<Int>
    let probabilities: Matrix
    let scale: Float
    private let columns: Range<Int>

    init(_ attention: SelfAttention, _ saved: SavedActivations, _ queries: RowLayout, _ keys: RowLayout, _ item: Int) {
      let (sample, head) = item.quotientAndRemainder(dividingBy: attention.heads)
      self.head = head
      queryRows = queries.range(sample)
      keyRows = keys.range(sample)
      probabilities = Matrix(
        saved.probabilities + saved.starts[sample] + head * queryRows.count * keyRows.count, rows: queryRows.count,
        columns: keyRows.count)
      let width = saved.q.columns / attention.heads
      columns = head * width..<(head + 1) * width
      scale = 1 / Float(width).squareRoot()
    }

    func block(_ matrix: Matrix, _ rows: Range<Int>) -> Matrix { matrix.rows(rows).columns(columns) }
  }
}
