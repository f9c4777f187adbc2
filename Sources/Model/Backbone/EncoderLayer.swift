/// One encoder layer, norms after the sums (KerasHub: `TransformerEncoder`, transformers: `TransformerBlock`).
///
///     a = dropout(attention(x))     s = norm(x + a)
///     f = dropout(feedForward(s))   y = norm(s + f)
struct EncoderLayer {
  let attention: SelfAttention
  let attentionDropout: Dropout
  let attentionNorm: LayerNorm
  let feedForward: FeedForward
  let outputDropout: Dropout
  let outputNorm: LayerNorm

  struct Memory {
    let attention: SelfAttention.Memory
    let attentionNorm: LayerNorm.Memory
    let feedForward: FeedForward.Memory
    let outputNorm: LayerNorm.Memory
  }

  /// - Parameter selected: the rows of x that the output is wanted of, and their layout; nil for all. Keys and values are
  ///   taken of all rows, everything else of these alone (DESIGN: only the rows that are needed).
  func forward(
    _ x: Matrix, _ layout: RowLayout, selected: (rows: [Int32], layout: RowLayout)?, _ key: DropoutKey?, into y: Matrix,
    _ context: Context
  ) -> Memory {
    let queries = selected?.layout ?? layout
    var xq = x
    if let selected {
      xq = context.matrix(selected.rows.count, x.columns)
      Rows.gather(x, selected.rows, into: xq, on: context.pool)
    }
    let a = context.matrix(y.rows, y.columns)
    let attended = attention.forward(x, layout, from: xq, queries, key, into: a, context)
    attentionDropout.apply(a, queries, key, context)
    let s = context.matrix(y.rows, y.columns)
    let attentionNormed = attentionNorm.forward(a, adding: xq, into: s, context)

    let f = context.matrix(y.rows, y.columns)
    let fed = feedForward.forward(s, into: f, context)
    outputDropout.apply(f, queries, key, context)
    let outputNormed = outputNorm.forward(f, adding: s, into: y, context)
    return Memory(attention: attended, attentionNorm: attentionNormed, feedForward: fed, outputNorm: outputNormed)
  }

  /// Writes the gradient of x (all rows), where it is wanted. dy is used up.
  func backward(
    _ dy: Matrix, _ memory: Memory, _ layout: RowLayout, selected: (rows: [Int32], layout: RowLayout)?,
    _ key: DropoutKey?, into dx: Matrix?, _ context: Context
  ) {
    let queries = selected?.layout ?? layout
    context.temporary {
      // y = norm(s + f): the gradient of the sum goes to both terms.
      let dSum = context.matrix(dy.rows, dy.columns)
      outputNorm.backward(dy, memory.outputNorm, into: dSum, context)
      // f = dropout(feedForward(s))
      let df = dy
      Rows.copy(dSum, to: df, on: context.pool)
      outputDropout.apply(df, queries, key, context)
      let ds = context.matrix(dy.rows, dy.columns)
      feedForward.backward(df, memory.feedForward, into: ds, context)
      Rows.add(dSum, to: ds, on: context.pool)

      // s = norm(x + a)
      attentionNorm.backward(ds, memory.attentionNorm, into: dSum, context)
      // a = dropout(attention(x))
      let da = ds
      Rows.copy(dSum, to: da, on: context.pool)
      attentionDropout.apply(da, queries, key, context)
      let dxq = df
      attention.backward(
        da, memory.attention, layout, queries, key, into: dx == nil ? nil : dxq, keysInto: dx, context)
      guard let dx else { return }

      // The rows that attended: through the queries, and through the residual.
      Rows.add(dSum, to: dxq, on: context.pool)
      if let selected {
        Rows.scatterAdd(dxq, selected.rows, to: dx, on: context.pool)
      } else {
        Rows.add(dxq, to: dx, on: context.pool)
      }
    }
  }
}
