import Tensor

/// Token and position embedding, normalized (KerasHub: `TokenAndPositionEmbedding`, layer norm, dropout).
///
///     y = dropout(norm(E[token] + P[position]))        y: rows × width
struct Embeddings {
  let token, position: Parameter
  let norm: LayerNorm
  let dropout: Dropout

  typealias SavedActivations = LayerNorm.SavedActivations

  func forward(_ batch: Batch, _ key: DropoutKey?, into y: Matrix, _ context: Context) -> SavedActivations {
    let (sum, positions) = (context.matrix(y.rows, y.columns), position.matrix)
    batch.tokenIDs.withUnsafeBufferPointer { tokenIDs in
      batch.positionIDs.withUnsafeBufferPointer { positionIDs in
        context.pool.split(y.rows) { _, rows in
          for row in rows {
            token.copyRow(Int(tokenIDs[row]), to: sum[row])
            Elementwise.add(positions[Int(positionIDs[row])], to: sum[row], y.columns)
          }
        }
      }
    }
    let saved = norm.forward(sum, into: y, context)
    dropout.apply(y, batch.tokens, key, context)
    return saved
  }

  /// Adds the parameters' gradients. Overwrites dy. As in KerasHub, and unlike in transformers, the [PAD] row gets a
  /// gradient through the look-up.
  func backward(_ dy: Matrix, _ saved: SavedActivations, _ batch: Batch, _ key: DropoutKey?, _ context: Context) {
    dropout.apply(dy, batch.tokens, key, context)
    norm.backward(dy, saved, into: dy, context)
    if let dToken = token.gradient { Rows.scatterAdd(dy, batch.tokenIDs, to: dToken, on: context.pool) }
    if let dPosition = position.gradient { Rows.scatterAdd(dy, batch.positionIDs, to: dPosition, on: context.pool) }
  }
}
