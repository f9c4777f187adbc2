import Tensor

/// Normalizes each row, then scales and shifts it (Ba et al. 2016).
///
///     y = gain · (x − μ) / √(σ² + ε) + bias        μ, σ² per row of x
struct LayerNorm {
  let gain, bias: Parameter
  let epsilon: Float

  struct SavedActivations {
    let input: Matrix
    /// μ and 1 / √(σ² + ε) of each row.
    let mean, scale: UnsafeMutablePointer<Float>
  }

  /// - Parameter residual: added to x in place before the norm.
  func forward(_ x: Matrix, adding residual: Matrix? = nil, into y: Matrix, _ context: Context) -> SavedActivations {
    let saved = SavedActivations(input: x, mean: context.arena.floats(x.rows), scale: context.arena.floats(x.rows))
    let (gain, bias, epsilon, n) = (gain.values, bias.values, epsilon, x.columns)
    context.pool.split(x.rows) { _, rows in
      for row in rows {
        Elementwise.normalize(
          x[row], adding: residual.map { UnsafePointer($0[row]) }, gain: gain, bias: bias, epsilon: epsilon,
          into: y[row],
          n, mean: saved.mean + row, scale: saved.scale + row)
      }
    }
    return saved
  }

  /// Adds to the gradients of gain and bias, and writes the gradient of x. dx may be dy.
  ///
  ///     x̂ = (x − μ) · scale     dx̂ = dy · gain     dx = scale · (dx̂ − mean(dx̂) − x̂ · mean(dx̂ · x̂))
  func backward(_ dy: Matrix, _ saved: SavedActivations, into dx: Matrix, _ context: Context) {
    let (values, n) = (gain.values, dy.columns)
    func differentiate(_ row: Int) {
      Elementwise.differentiateNorm(
        saved.input[row], gain: values, mean: saved.mean[row], scale: saved.scale[row], dy[row], into: dx[row], n)
    }
    guard let dGain = gain.gradient?.start, let dBias = bias.gradient?.start else {
      return context.pool.split(dy.rows) { _, rows in rows.forEach(differentiate) }
    }
    // dgain += Σ dy · x̂ and dbias += Σ dy over the rows, before dx, which may be dy, is written.
    context.temporary {
      let sums = Rows.blockSums(rows: dy.rows, count: 2 * n, context) { row, sums in
        Elementwise.addNormGradients(
          saved.input[row], mean: saved.mean[row], scale: saved.scale[row], dy[row], gain: sums, bias: sums + n, n)
        differentiate(row)
      }
      for block in 0..<sums.rows {
        Elementwise.add(sums[block], to: dGain, n)
        Elementwise.add(sums[block] + n, to: dBias, n)
      }
    }
  }
}
