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
        let (x, y) = (x[row], y[row])
        if let residual {
          let residual = residual[row]
          forEachEight(n) {
            x.setVector($0, x.vector($0) + residual.vector($0))
          } scalar: {
            x[$0] += residual[$0]
          }
        }
        let mean =
          Self.sum(n) {
            x.vector($0)
          } scalar: {
            x[$0]
          } / Float(n)
        let variance =
          Self.sum(n) {
            let centred = x.vector($0) - mean
            return centred * centred
          } scalar: {
            (x[$0] - mean) * (x[$0] - mean)
          } / Float(n)
        let scale = 1 / (variance + epsilon).squareRoot()
        memory.mean[row] = mean
        memory.scale[row] = scale
        forEachEight(n) {
          y.setVector($0, (x.vector($0) - mean) * scale * gain.vector($0) + bias.vector($0))
        } scalar: {
          y[$0] = (x[$0] - mean) * scale * gain[$0] + bias[$0]
        }
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
        let (x, dy, dx) = (memory.input[row], dy[row], dx[row])
        let (mean, scale) = (memory.mean[row], memory.scale[row])
        let dMean =
          Self.sum(n) {
            dy.vector($0) * gain.vector($0)
          } scalar: {
            dy[$0] * gain[$0]
          } / Float(n)
        let dScale =
          Self.sum(n) {
            dy.vector($0) * gain.vector($0) * ((x.vector($0) - mean) * scale)
          } scalar: {
            dy[$0] * gain[$0] * ((x[$0] - mean) * scale)
          } / Float(n)
        forEachEight(n) {
          let normalized = (x.vector($0) - mean) * scale
          dx.setVector($0, scale * (dy.vector($0) * gain.vector($0) - dMean - normalized * dScale))
        } scalar: {
          dx[$0] = scale * (dy[$0] * gain[$0] - dMean - (x[$0] - mean) * scale * dScale)
        }
      }
    }
  }

  /// dgain += Σ dy · x̂ and dbias += Σ dy, over the rows.
  private func addParameterGradients(_ dy: Matrix, _ memory: Memory, _ pool: WorkerPool) {
    guard let dGain = gain.gradient?.start, let dBias = bias.gradient?.start else { return }
    pool.split(dy.columns, alignment: 16) { _, columns in
      let dGain = dGain + columns.lowerBound
      let dBias = dBias + columns.lowerBound
      for row in 0..<dy.rows {
        let (x, dy) = (memory.input[row] + columns.lowerBound, dy[row] + columns.lowerBound)
        let (mean, scale) = (memory.mean[row], memory.scale[row])
        forEachEight(columns.count) {
          dGain.setVector($0, dGain.vector($0) + dy.vector($0) * ((x.vector($0) - mean) * scale))
          dBias.setVector($0, dBias.vector($0) + dy.vector($0))
        } scalar: {
          dGain[$0] += dy[$0] * ((x[$0] - mean) * scale)
          dBias[$0] += dy[$0]
        }
      }
    }
  }

  @inline(__always)
  private static func sum(_ count: Int, vector: (Int) -> Floats, scalar: (Int) -> Float) -> Float {
    var total = Floats()
    var rest: Float = 0
    forEachEight(count) {
      total += vector($0)
    } scalar: {
      rest += scalar($0)
    }
    return total.total + rest
  }
}
