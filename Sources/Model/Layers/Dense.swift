import Tensor

/// A matrix product and a bias (KerasHub: `Dense`, transformers: `nn.Linear`).
///
///     y = x·Wᵀ + b        x: rows × in, W: out × in (as Hugging Face stores it), y: rows × out
struct Dense {
  let weight, bias: Parameter

  init(weight: Parameter, bias: Parameter) {
    self.weight = weight
    self.bias = bias
    weight.gradientBeginsWithProduct = true
  }

  func forward(_ x: Matrix, into y: Matrix, _ context: Context) {
    if weight.reduced != nil { return Self.forwardReduced(x, [(self, y)], context) }
    Self.forward(
      x, weight: weight.matrix, packed: weight.packed, bias: bias.values, into: y,
      following: weight.following.map { $0.packed ?? $0.matrix }, context)
  }

  /// Computes several layers of the same input.
  static func forward(_ x: Matrix, _ layers: [(layer: Dense, y: Matrix)], _ context: Context) {
    if layers.allSatisfy({ $0.layer.weight.reduced != nil }) { return forwardReduced(x, layers, context) }
    for (layer, y) in layers { layer.forward(x, into: y, context) }
  }

  /// Narrows x once for neighboring layers that need the same numbers.
  private static func forwardReduced(_ x: Matrix, _ layers: [(layer: Dense, y: Matrix)], _ context: Context) {
    context.temporary {
      var narrowed: ReducedGEMM.NarrowedRows?
      for (layer, y) in layers {
        guard let weight = layer.weight.reduced else { continue }
        let rows =
          narrowed.flatMap { $0.fit(weight) ? $0 : nil } ?? ReducedGEMM.narrow(x, for: weight, context)
        narrowed = rows
        ReducedGEMM.multiply(
          rows, weight, bias: layer.bias.values, into: y, following: layer.weight.following?.reduced, context)
      }
    }
  }

  /// Computes y from a given weight and bias, such as those of the head's projection.
  ///
  /// - Parameters:
  ///   - packed: the same weight, packed for small-batch products, if available.
  ///   - following: the weights of the next product, if known.
  static func forward(
    _ x: Matrix, weight: Matrix, packed: Matrix? = nil, bias: UnsafeMutablePointer<Float>, into y: Matrix,
    following: Matrix? = nil, _ context: Context
  ) {
    if SmallBatchGEMM.handles(rows: x.rows, columns: y.columns, inner: x.columns, threads: context.pool.threads) {
      SmallBatchGEMM.multiply(
        x, packed ?? weight, isPacked: packed != nil, bias: bias, into: y, following: following, context)
    } else {
      GEMM.multiply(x, .normal, weight, .transposed, into: y, bias: bias, on: context.pool)
    }
  }

  /// Adds to the gradients of W and b, and writes (or adds) the gradient of x to `dx`, if given.
  func backward(_ dy: Matrix, x: Matrix, into dx: Matrix?, adding: Bool = false, _ context: Context) {
    if let dWeight = weight.gradient {
      GEMM.multiply(dy, .transposed, x, .normal, into: dWeight, adding: weight.addsToGradient(), on: context.pool)
    }
    if let dBias = bias.gradient { Rows.addSum(of: dy, to: dBias.start, context) }
    if let dx {
      GEMM.multiply(dy, .normal, weight.matrix, .normal, into: dx, adding: adding, on: context.pool)
    }
  }
}
