import Tensor

/// Backbone and head over one table of parameters, with the passes of training, evaluation and prediction.
final class Network {
  let configuration: Configuration
  let table: ParameterTable
  /// One parameter per row of the table.
  let parameters: ParameterStore
  let backbone: Backbone
  let head: Head
  /// The precision of the matrix products in inference.
  private(set) var precision = Precision.float32
  /// Whether the weights were loaded from integers.
  var hasQuantizedWeights = false

  /// The alignment of samples in inference batches.
  var rowAlignment: Int { precision == .float32 ? Batch.inferenceAlignment : 1 }

  /// - Parameter parameters: one per row of the configuration's table.
  init(_ configuration: Configuration, _ parameters: ParameterStore) throws(MissingParameter) {
    self.configuration = configuration
    table = configuration.parameterTable
    self.parameters = parameters
    backbone = try Backbone(configuration, table, parameters)
    head = try Head(configuration, parameters)
    // The parameters are in the order of computation, except for a shared word embedding, which is also the last
    // product's matrix.
    let last = head.output.name
    parameters.setOrder(
      ofProducts: table.specifications.filter { $0.role == .kernel && $0.name != last }.map(\.name) + [last])
  }

  /// Multiplies by weights of another precision from now on.
  func reduce(to precision: Precision, on pool: WorkerPool) {
    guard let headFormat = precision.headFormat else { return }
    self.precision = precision
    let int8 = precision == .int8 ? ReducedScheme.int8Matrices(configuration) : []
    let exactColumns = ReducedScheme(self, on: pool).exactColumns()
    var products = parameters.parameters.filter { $0.specification.role == .kernel }
    if configuration.tiesWeights { products.append(head.output) }
    let matrices = products.map {
      ReducedMatrix($0, as: int8.contains($0.name) ? .int8 : headFormat, exactColumns: exactColumns[$0.name] ?? [])
    }
    parameters.reduce(matrices)
  }

  /// Whether the backbone's parameters, including the token embedding, get gradients.
  var trainsBackbone: Bool {
    get { parameters(where: \.isBackbone).contains(where: \.isTrainable) }
    set { for parameter in parameters(where: \.isBackbone) { parameter.isTrainable = newValue } }
  }

  /// Returns the parameters whose rows in the table satisfy a predicate.
  func parameters(where isWanted: (ParameterTable.Row) -> Bool) -> [Parameter] {
    zip(table.rows, parameters.parameters).filter { row, _ in isWanted(row) }.map { $1 }
  }

  /// Whether the whole head comes from files or was changed by a training step.
  var hasTrainedHead: Bool { !parameters.parameters.contains(where: \.isUntrained) }

  /// Runs forward, loss and backward of one batch. Adds the gradients of `lossFactor` · Σ w · cross-entropy.
  ///
  /// It returns all memory to the arena.
  func addGradients(_ batch: Batch, lossFactor: Float, _ key: DropoutKey?, _ context: Context) -> LossSums {
    guard !batch.maskedRows.isEmpty else { return LossSums() }
    return context.temporary {
      var saved: Backbone.SavedActivations?
      let x: Matrix
      if let lowest = backbone.lowestTrained {
        let (hidden, kept) = backbone.forward(batch, key, from: lowest, context)
        (x, saved) = (hidden, kept)
      } else {
        x = backbone.predict(batch, dropout: key, context)
      }
      let savedByHead = head.forward(x, context)
      let n = savedByHead.n
      let dn = context.matrix(n.rows, n.columns)
      var sums = LossSums()
      head.forEachLogits(n, rows: Head.trainingRows, context) { rows, logits in
        sums += CrossEntropy.evaluate(
          logits, labels: batch.labels[rows], weights: batch.weights[rows], gradientFactor: lossFactor, context.pool)
        head.backwardProjection(logits, n: n.rows(rows), into: dn.rows(rows), context)
      }
      if let saved {
        let dx = context.matrix(x.rows, x.columns)
        head.backward(dn, savedByHead, into: dx, context)
        backbone.backward(dx, saved, batch, key, context)
      } else {
        head.backward(dn, savedByHead, into: nil, context)
      }
      return sums
    }
  }

  /// Prepares packed weights for inference. Call it before the batches, while nothing else computes.
  func prepare(for batches: [Batch], on pool: WorkerPool) {
    if precision != .float32 {
      // A single batch packs weights as it needs them; several would pack them at the same time.
      if batches.count > 1 { parameters.packReduced(on: pool) }
      parameters.releasePages(of: backbone.embeddings.token)
      return
    }
    guard let rows = batches.first?.tokens.rowCount else { return }
    parameters.packedWeights.prepare(
      forPassOf: batches.count == 1 && rows <= SmallBatchGEMM.rowLimit ? rows : nil, in: parameters, on: pool)
  }

  /// Calls the body with the scores (rows × vocabulary) of a few masked rows at a time.
  func forEachLogits(
    _ batch: Batch, _ context: Context, _ body: (_ maskedRows: Range<Int>, _ logits: Matrix) throws -> Void
  ) rethrows {
    guard !batch.maskedRows.isEmpty else { return }
    try context.temporary {
      let x = backbone.predict(batch, context)
      let n = head.forward(x, context).n
      try head.forEachLogits(n, rows: Head.inferenceRows, context, body)
    }
  }

  /// Calls the body with the scores of a few masked rows at a time, and with those of another network with the same
  /// vocabulary, if there is one.
  func forEachLogits(
    _ batch: Batch, and other: Network?, _ context: Context,
    _ body: (_ maskedRows: Range<Int>, _ logits: Matrix, _ otherLogits: Matrix?) throws -> Void
  ) rethrows {
    guard let other else { return try forEachLogits(batch, context) { try body($0, $1, nil) } }
    guard !batch.maskedRows.isEmpty else { return }
    try context.temporary {
      let otherRows = other.head.forward(other.backbone.predict(batch, context), context).n
      try forEachLogits(batch, context) { rows, logits in
        try context.temporary {
          let otherLogits = context.matrix(logits.rows, logits.columns)
          other.head.project(otherRows.rows(rows), into: otherLogits, context)
          try body(rows, logits, otherLogits)
        }
      }
    }
  }
}
