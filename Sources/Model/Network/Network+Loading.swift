import Files
import Tensor

extension Network {
  /// Creates a network with a directory's weights. Float32 weights are used directly from the mapped file, and so are
  /// matrices of other types in a network of reduced precision; a missing head is randomly initialized.
  convenience init(
    _ configuration: Configuration, _ weights: ResolvedWeights, precision: Precision = .float32, seed: UInt64,
    on pool: WorkerPool
  ) throws {
    let store = try ParameterStore(weights.table.specifications, owners: weights.tensors.compactMap { $0?.mapping }) {
      index, specification in
      guard let tensor = weights.tensors[index] else {
        return Self.random(index, specification, configuration, seed, pool)
      }
      if let values = tensor.float32InPlace { return .borrowed(values) }
      // The rows of the positions are added to those of the words, as float32.
      let isProductsOrWords = specification.role == .kernel || specification.name == ParameterTable.wordEmbeddings
      if precision != .float32, isProductsOrWords, let matrix = tensor.matrixInPlace { return .stored(matrix) }
      return .fill { try tensor.copyFloats(to: $0) }
    }
    if !weights.hasHead { for row in weights.missing { store[row.name]?.isUntrained = true } }
    try self.init(configuration, store)
    hasQuantizedWeights = weights.areQuantized
    reduce(to: precision, on: pool)
  }

  /// Creates a network with random weights.
  convenience init(random configuration: Configuration, seed: UInt64, on pool: WorkerPool) throws {
    let table = configuration.parameterTable
    let store = try ParameterStore(table.specifications) { index, specification in
      Self.random(index, specification, configuration, seed, pool)
    }
    for row in table.head { store[row.name]?.isUntrained = true }
    try self.init(configuration, store)
  }

  /// Creates a network without values; a checkpoint sets them before any computation.
  convenience init(restored configuration: Configuration) throws {
    try self.init(configuration, ParameterStore(configuration.parameterTable.specifications) { _, _ in .fill { _ in } })
  }

  private static func random(
    _ index: Int, _ specification: TensorSpecification, _ configuration: Configuration, _ seed: UInt64,
    _ pool: WorkerPool
  ) -> ParameterStore.Source {
    .fill {
      Initialization.fill(
        $0, specification, index: index, standardDeviation: configuration.initializerRange, seed: seed, on: pool)
    }
  }

  /// The parameters for a model's file, without those of an untrained head, so that no reader mistakes them for a
  /// trained one.
  var tensorSources: [TensorSource] { sources { !$0.isUntrained } }

  /// The parameters that `tensorSources` leaves out.
  var untrainedSources: [TensorSource] { sources(where: \.isUntrained) }

  /// The parameters that `tensorSources` has.
  var trainedParameters: [(row: ParameterTable.Row, parameter: Parameter)] {
    Array(zip(table.rows, parameters.parameters)).filter { !$1.isUntrained }
  }

  private func sources(where isWritten: (Parameter) -> Bool) -> [TensorSource] {
    parameters.parameters.filter(isWritten).map {
      TensorSource(name: $0.name, shape: $0.specification.shape, values: $0.values)
    }
  }
}

/// Values of float32 files are used in place, and their pages are released once they are packed.
extension FileMapping: MappedMemory {}
