/// Normalizes each row, then scales and shifts it (Ba et al. 2016).
///
///     y = gain · (x − μ) / √(σ² + ε) + bias        μ, σ² per row of x
struct LayerNorm {
  let gain, bias: Parameter
  let epsilon: Float

  struct Memory {
    let input: Matrix
    /// μ and 1 / √(σ² + ε) of each row.
    let mean, scale: UnsafeMutablePointer<Float>
  }

  /// - Parameter residual: added to x, in place, before the norm.
  func forward(_ x: Matrix, adding residual: Matrix? = nil, into y: Matrix, _ context: Context) -> Memory {
    let memory = Memory(input: x, mean: context.arena.floats(x.rows), scale: context.arena.floats(x.rows))
    let (gain, bias, epsilon, n) = (gain.values, bias.values, epsilon, x.columns)
    context.pool.split(x.rows) { _, rows in
      for row in rows {
        Elementwise.normalize(
          x[row], adding: residual.map { UnsafePointer($0[row]) }, gain: gain, bias: bias, epsilon: epsilon,
          into: y[row],
          n, mean: memory.mean + row, scale: memory.scale + row)
      }
    }
    return memory
  }

  /// Writes the gradient of x; dx may be dy.
  ///
  ///     x̂ = (x − μ) · scale     dx̂ = dy · gain     dx = scale · (dx̂ − mean(dx̂) − x̂ · mean(dx̂ · x̂))
  func backward(_ dy: Matrix, _ memory: Memory, into dx: Matrix, _ context: Context) {
    addParameterGradients(dy, memory, context.pool)
    let (gain, n) = (gain.values, dy.columns)
    context.pool.split(dy.rows) { _, rows in
      for row in rows {
        Elementwise.differentiateNorm(
          memory.input[row], gain: gain, mean: memory.mean[row], scale: memory.scale[row], dy[row], into: dx[row], n)
      }
    }
  }

  /// dgain += Σ dy · x̂ and dbias += Σ dy, over the rows.
  private func addParameterGradients(_ dy: Matrix, _ memory: Memory, _ pool: WorkerPool) {
    guard let dGain = gain.gradient?.start, let dBias = bias.gradient?.start else { return }
    pool.split(dy.columns, alignment: 16) { _, columns in
      let first = columns.lowerBound
      for row in 0..<dy.rows {
        Elementwise.addNormGradients(
          memory.input[row] + first, mean: memory.mean[row], scale: memory.scale[row], dy[row] + first,
          gain: dGain + first, bias: dBias + first, columns.count)
      }
    }
  }
}
