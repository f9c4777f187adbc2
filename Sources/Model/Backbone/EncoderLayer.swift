import Tensor

/// One encoder layer, with the norms after the sums (KerasHub: `TransformerEncoder`, transformers: `TransformerBlock`).
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

  struct SavedActivations {
    let attention: SelfAttention.SavedActivations
    let attentionNorm: LayerNorm.SavedActivations
    let feedForward: FeedForward.SavedActivations
    let outputNorm: LayerNorm.SavedActivations
  }

  /// - Parameter selected: the rows of x to compute the output for, and their layout; nil for all. Keys and values use
  ///   all rows, everything else only the selected ones (DESIGN: only the rows that are needed).
  func forward(
    _ x: Matrix, _ layout: RowLayout, selected: (rows: [Int32], layout: RowLayout)?, _ key: DropoutKey?, into y: Matrix,
    _ context: Context
  ) -> SavedActivations {
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
    return SavedActivations(
      attention: attended, attentionNorm: attentionNormed, feedForward: fed, outputNorm: outputNormed)
  }

  /// Writes the gradient of x (all rows) to `dx`, if given. Overwrites dy.
  func backward(
    _ dy: Matrix, _ saved: SavedActivations, _ layout: RowLayout, selected: (rows: [Int32], layout: RowLayout)?,
    _ key: DropoutKey?, into dx: Matrix?, _ context: Context
  ) {
    let queries = selected?.layout ?? layout
    context.temporary {
      // y = norm(s + f): the gradient of the sum goes to both terms; the gradient through f is added to it in place.
      let ds = context.matrix(dy.rows, dy.columns)
      outputNorm.backward(dy, saved.outputNorm, into: ds, context)
      // f = dropout(feedForward(s))
      let df = dy
      outputDropout.apply(ds, into: df, queries, key, context)
      feedForward.backward(df, saved.feedForward, addingTo: ds, context)

      // s = norm(x + a). The query rows get a gradient through the residual and the queries; if they are all rows, it
      // is the gradient of x.
      let dxq = selected == nil ? dx ?? df : df
      if selected != nil { dx?.setToZero() }
      attentionNorm.backward(ds, saved.attentionNorm, into: dxq, context)
      // a = dropout(attention(x))
      let da = ds
      attentionDropout.apply(dxq, into: da, queries, key, context)
      attention.backward(
        da, saved.attention, layout, queries, key, addingTo: dx == nil ? nil : dxq, keysTo: dx, context)
      if let dx, let selected { Rows.scatterAdd(dxq, selected.rows, to: dx, on: context.pool) }
    }
  }
}
