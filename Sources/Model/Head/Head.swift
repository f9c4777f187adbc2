import Tensor

/// The head, from hidden states of masked positions to scores of the vocabulary (KerasHub and our public class:
/// `MaskedLMHead`; transformers: `vocab_transform`, `vocab_layer_norm`, `vocab_projector`).
///
///     n = norm(gelu(x·Wᵀ + b))     logits = n·Eᵀ + c
///
/// E is the token embedding, shared with the backbone, or the head's own matrix.
struct Head {
  let transform: Dense
  let activation: ActivationFunction
  let norm: LayerNorm
  /// The output matrix, vocabulary × width.
  let output: Parameter
  /// One value per word piece.
  let bias: Parameter

  init(_ configuration: Configuration, _ parameters: ParameterStore) throws(MissingParameter) {
    let lookUp = ParameterLookUp(parameters)
    transform = try lookUp.dense(ParameterTable.Module.transform)
    activation = ActivationFunction(kind: configuration.activation)
    norm = try lookUp.norm(ParameterTable.Module.headNorm, configuration.headLayerNormEpsilon)
    output = try lookUp[configuration.tiesWeights ? ParameterTable.wordEmbeddings : ParameterTable.projector]
    // The end of the backbone's backward adds the rows of the tokens to a shared matrix's gradient.
    output.gradientBeginsWithProduct = true
    bias = try lookUp[ParameterTable.projectorBias]
  }

  struct SavedActivations {
    let x, h, g, n: Matrix
    let norm: LayerNorm.SavedActivations
  }

  /// The rows that go through the projection together. The scores of more rows would fill the memory (480 × 30,522
  /// floats are 59 MB); fewer rows would repeat the pass over the embedding too often.
  static let trainingRows = 480
  static let inferenceRows = 120

  /// Computes everything before the projection: rows × width, in `SavedActivations.n`.
  func forward(_ x: Matrix, _ context: Context) -> SavedActivations {
    let (h, g, n) = (
      context.matrix(x.rows, x.columns), context.matrix(x.rows, x.columns), context.matrix(x.rows, x.columns)
    )
    transform.forward(x, into: h, context)
    activation.forward(h, into: g, context)
    return SavedActivations(x: x, h: h, g: g, n: n, norm: norm.forward(g, into: n, context))
  }

  /// logits = n·Eᵀ + c, for some rows of n.
  func project(_ n: Matrix, into logits: Matrix, _ context: Context) {
    if let weight = output.reduced {
      return context.temporary {
        let narrowed = ReducedGEMM.narrow(n, for: weight, context)
        ReducedGEMM.multiply(narrowed, weight, bias: bias.values, into: logits, context)
      }
    }
    Dense.forward(n, weight: output.matrix, packed: output.packed, bias: bias.values, into: logits, context)
  }

  /// Computes the backward of `project`: writes dn, and adds to the gradients of E and c.
  func backwardProjection(_ dLogits: Matrix, n: Matrix, into dn: Matrix, _ context: Context) {
    GEMM.multiply(dLogits, .normal, output.matrix, .normal, into: dn, on: context.pool)
    if let dOutput = output.gradient {
      GEMM.multiply(
        dLogits, .transposed, n, .normal, into: dOutput, adding: output.addsToGradient(), on: context.pool)
    }
    if let dBias = bias.gradient { Rows.addSum(of: dLogits, to: dBias.start, context) }
  }

  /// Computes the backward of `forward`: overwrites dn, and writes the gradient of x to `dx`, if given.
  func backward(_ dn: Matrix, _ saved: SavedActivations, into dx: Matrix?, _ context: Context) {
    norm.backward(dn, saved.norm, into: dn, context)
    activation.backward(dn, x: saved.h, into: dn, context)
    transform.backward(dn, x: saved.x, into: dx, context)
  }

  /// Calls the body with the scores of a few rows at a time, so that only those are in memory.
  func forEachLogits(
    _ n: Matrix, rows: Int, _ context: Context, _ body: (_ rows: Range<Int>, _ logits: Matrix) throws -> Void
  ) rethrows {
    try context.temporary {
      let buffer = context.matrix(min(rows, n.rows), bias.count)
      for start in stride(from: 0, to: n.rows, by: rows) {
        let range = start..<min(n.rows, start + rows)
        let logits = buffer.rows(0..<range.count)
        project(n.rows(range), into: logits, context)
        try body(range, logits)
      }
    }
  }
}
