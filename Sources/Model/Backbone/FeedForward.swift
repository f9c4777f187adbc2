import Tensor

/// Two dense layers with an activation between them.
///
/// Tried: computing the activation, forward and backward, in each worker's part of the preceding product. It is no
/// faster (8 × 128 tokens: 0.99 of the time; a small model: 1.00).
///
///     h = x·W1ᵀ + b1     g = gelu(h)     y = g·W2ᵀ + b2
struct FeedForward {
  let first, second: Dense
  let activation: ActivationFunction

  /// The backward recomputes g: that costs less than a hundredth of a step's time; saving g would cost an eighth of its
  /// memory.
  struct SavedActivations { let x, h: Matrix }

  func forward(_ x: Matrix, into y: Matrix, _ context: Context) -> SavedActivations {
    let h = context.matrix(x.rows, first.bias.count)
    first.forward(x, into: h, context)
    context.temporary {
      let g = context.matrix(h.rows, h.columns)
      activation.forward(h, into: g, context)
      second.forward(g, into: y, context)
    }
    return SavedActivations(x: x, h: h)
  }

  /// Adds the gradient of x to dx.
  func backward(_ dy: Matrix, _ saved: SavedActivations, addingTo dx: Matrix, _ context: Context) {
    context.temporary {
      let (g, dh) = (
        context.matrix(saved.h.rows, saved.h.columns), context.matrix(saved.h.rows, saved.h.columns)
      )
      activation.forward(saved.h, into: g, context)
      second.backward(dy, x: g, into: dh, context)
      activation.backward(dh, x: saved.h, into: dh, context)
      first.backward(dh, x: saved.x, into: dx, adding: true, context)
    }
  }
}
