import Tensor

/// DistilBERT's encoder (Sanh et al. 2019; KerasHub: `DistilBertBackbone`, transformers: `DistilBertModel`).
///
///     tokens → embeddings → encoder layers → hidden states        rows × width
struct Backbone {
  let embeddings: Embeddings
  let layers: [EncoderLayer]
  let width: Int
  /// The parameters of the embeddings, followed by those of each layer.
  private let stages: [[Parameter]]

  init(
    _ configuration: Configuration, _ table: ParameterTable, _ parameters: ParameterStore
  ) throws(MissingParameter) {
    typealias Module = ParameterTable.Module
    let lookUp = ParameterLookUp(parameters)
    let epsilon = configuration.layerNormEpsilon
    // The sites number the dropouts of the network, so that each draws its own random numbers.
    var site = 0
    func dropout(_ rate: Float) -> Dropout {
      site += 1
      return Dropout(rate: rate, site: site)
    }
    width = configuration.hiddenDim
    embeddings = Embeddings(
      token: try lookUp.embedding(Module.wordEmbeddings), position: try lookUp.embedding(Module.positionEmbeddings),
      norm: try lookUp.norm(Module.embeddingNorm, epsilon), dropout: dropout(configuration.dropout))
    var layers: [EncoderLayer] = []
    for index in 0..<configuration.numLayers {
      let layer = Module.layer(index)
      layers.append(
        EncoderLayer(
          attention: SelfAttention(
            query: try lookUp.dense(layer.query), key: try lookUp.dense(layer.key),
            value: try lookUp.dense(layer.value), output: try lookUp.dense(layer.attentionOutput),
            heads: configuration.numHeads, dropout: dropout(configuration.attentionDropout)),
          attentionDropout: dropout(configuration.dropout),
          attentionNorm: try lookUp.norm(layer.attentionNorm, epsilon),
          feedForward: FeedForward(
            first: try lookUp.dense(layer.first), second: try lookUp.dense(layer.second),
            activation: ActivationFunction(kind: configuration.activation)),
          outputDropout: dropout(configuration.dropout),
          outputNorm: try lookUp.norm(layer.outputNorm, epsilon)))
    }
    self.layers = layers
    let parts: [ModelPart] = [.embeddings] + layers.indices.map { ModelPart.layers($0...$0) }
    stages = parts.map { part in
      zip(table.rows, parameters.parameters).filter { row, _ in part.contains(row) }.map { $1 }
    }
  }

  /// The lowest stage that is trained, where the backward stops: 0 for the embeddings, i + 1 for layer i, nil if
  /// everything is frozen.
  var lowestTrained: Int? { stages.firstIndex { $0.contains(where: \.isTrainable) } }

  /// The values that the backward needs. They stay in the arena until the step ends.
  struct SavedActivations {
    /// nil if the backward stops above the embeddings.
    let embeddings: Embeddings.SavedActivations?
    /// The saved activations of the layers from `firstLayer` on.
    let layers: [EncoderLayer.SavedActivations]
    let firstLayer: Int
  }

  /// Returns the last hidden states of the masked rows (masked rows × width) for training, with the saved activations.
  ///
  /// - Parameter lowest: where the backward stops (`lowestTrained`); the stages below it save nothing.
  func forward(_ batch: Batch, _ key: DropoutKey?, from lowest: Int = 0, _ context: Context) -> (
    Matrix, SavedActivations
  ) {
    let firstLayer = max(0, lowest - 1)
    var x = context.matrix(batch.tokens.rowCount, width)
    var embedded: Embeddings.SavedActivations?
    if lowest == 0 {
      embedded = embeddings.forward(batch, key, into: x, context)
    } else {
      // Two matrices alternate, as in `predict`.
      var y = context.matrix(x.rows, width)
      context.temporary { _ = embeddings.forward(batch, key, into: x, context) }
      for layer in layers[..<firstLayer] {
        context.temporary { _ = layer.forward(x, batch.tokens, selected: nil, key, into: y, context) }
        (x, y) = (y, x)
      }
    }
    var saved: [EncoderLayer.SavedActivations] = []
    for index in firstLayer..<layers.count {
      let selected = selection(batch, layer: index)
      let y = context.matrix(selected?.rows.count ?? x.rows, width)
      saved.append(layers[index].forward(x, batch.tokens, selected: selected, key, into: y, context))
      x = y
    }
    if layers.isEmpty { x = gatherMasked(x, batch, context) }
    return (x, SavedActivations(embeddings: embedded, layers: saved, firstLayer: firstLayer))
  }

  /// Returns the last hidden states for inference. The memory of each layer's activations is released after the layer.
  ///
  /// - Parameters:
  ///   - key: the dropout key, if a frozen backbone runs in training.
  ///   - allRows: whether to return the hidden states of all rows instead of the masked ones.
  ///   - observe: called with the output of the embeddings and of each layer, for tests.
  func predict(
    _ batch: Batch, dropout key: DropoutKey? = nil, allRows: Bool = false, _ context: Context,
    observe: (Matrix) -> Void = { _ in }
  ) -> Matrix {
    // Two buffers alternate: a layer reads one and writes the other. A position can be requested more than once, so
    // there can be more masked rows than rows.
    let count = batch.tokens.rowCount
    let (even, odd) = (
      context.matrix(max(count, batch.maskedRows.count), width),
      context.matrix(max(count, batch.maskedRows.count), width)
    )
    var (x, y) = (even.rows(0..<count), odd)
    context.temporary { _ = embeddings.forward(batch, key, into: x, context) }
    observe(x)
    for (index, layer) in layers.enumerated() {
      let selected = allRows ? nil : selection(batch, layer: index)
      let output = y.rows(0..<(selected?.rows.count ?? x.rows))
      context.temporary { _ = layer.forward(x, batch.tokens, selected: selected, key, into: output, context) }
      (x, y) = (output, index % 2 == 0 ? even : odd)
      observe(x)
    }
    if layers.isEmpty, !allRows { x = gatherMasked(x, batch, context) }
    return x
  }

  /// Adds the parameters' gradients. `dy`, the gradient of the result of `forward`, is overwritten.
  func backward(_ dy: Matrix, _ saved: SavedActivations, _ batch: Batch, _ key: DropoutKey?, _ context: Context) {
    var dy = dy
    var dx = context.matrix(batch.tokens.rowCount, width)
    var spare = context.matrix(batch.tokens.rowCount, width)
    for index in (saved.firstLayer..<layers.count).reversed() {
      layers[index].backward(
        dy, saved.layers[index - saved.firstLayer], batch.tokens, selected: selection(batch, layer: index), key,
        into: index == saved.firstLayer && saved.embeddings == nil ? nil : dx, context)
      (dy, dx, spare) = (dx, spare, dx)
    }
    guard let embedded = saved.embeddings else { return }
    if layers.isEmpty {
      dx.setToZero()
      Rows.scatterAdd(dy, batch.maskedRows, to: dx, on: context.pool)
      dy = dx
    }
    embeddings.backward(dy, embedded, batch, key, context)
  }

  /// The last layer computes only the masked rows.
  private func selection(_ batch: Batch, layer: Int) -> (rows: [Int32], layout: RowLayout)? {
    layer == layers.count - 1 ? (batch.maskedRows, batch.masks) : nil
  }

  private func gatherMasked(_ x: Matrix, _ batch: Batch, _ context: Context) -> Matrix {
    let y = context.matrix(batch.maskedRows.count, width)
    Rows.gather(x, batch.maskedRows, into: y, on: context.pool)
    return y
  }
}
