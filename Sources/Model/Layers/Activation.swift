import Tensor

/// The activation function between two dense layers.
///
///     gelu(x) = x · Φ(x)      Φ: the normal distribution's cumulative function (Hendrycks and Gimpel 2016)
///     relu(x) = max(x, 0)
struct ActivationFunction {
  let kind: Configuration.Activation

  func forward(_ x: Matrix, into y: Matrix, _ context: Context) {
    let kind = kind
    context.pool.split(x.rows) { _, rows in
      for row in rows { Self.apply(kind, x[row], y[row], x.columns) }
    }
  }

  /// dx = dy · (Φ(x) + x·φ(x)). dx may be dy.
  func backward(_ dy: Matrix, x: Matrix, into dx: Matrix, _ context: Context) {
    let kind = kind
    context.pool.split(x.rows) { _, rows in
      for row in rows { Self.differentiate(kind, x[row], dy[row], dx[row], x.columns) }
    }
  }

  private static func apply(
    _ kind: Configuration.Activation, _ x: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ n: Int
  ) {
    switch kind {
    case .gelu: Elementwise.gelu(x, into: y, n)
    case .relu:
      for i in 0..<n { y[i] = max(x[i], 0) }
    }
  }

  private static func differentiate(
    _ kind: Configuration.Activation, _ x: UnsafeMutablePointer<Float>, _ dy: UnsafeMutablePointer<Float>,
    _ dx: UnsafeMutablePointer<Float>, _ n: Int
  ) {
    switch kind {
    case .gelu: Elementwise.differentiateGelu(x, dy, into: dx, n)
    case .relu:
      for i in 0..<n { dx[i] = x[i] > 0 ? dy[i] : 0 }
    }
  }
}
