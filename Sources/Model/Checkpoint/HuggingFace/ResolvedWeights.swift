import Tensor

/// The validated weights of a model as found in files, with their original names, in the order of `ParameterTable`.
package struct ResolvedWeights: Sendable {
  /// The configuration of config.json, tied or not as the weights are.
  package let configuration: Configuration
  /// The tensors that a model with this configuration needs.
  let table: ParameterTable
  /// The tensors, one per row of the table; nil for a missing tensor of the head, which must be initialized.
  package let tensors: [TensorView?]
  /// Notes for the user, one line each: ignored tensors, a missing head.
  package let notes: [String]

  init(_ configuration: Configuration, _ found: [String: TensorView], notes: [String]) {
    self.configuration = configuration
    table = configuration.parameterTable
    tensors = table.rows.map { found[$0.name] }
    self.notes = notes
  }

  /// The tensors of the head to initialize.
  var missing: [ParameterTable.Row] { zip(table.rows, tensors).compactMap { $1 == nil ? $0 : nil } }

  /// Whether the files contain a head. Its output bias may be missing, and is then zero.
  package var hasHead: Bool { missing.allSatisfy { $0.name == ParameterTable.projectorBias } }

  /// Whether matrices are stored as integers.
  package var areQuantized: Bool { tensors.contains { $0?.rowScales != nil } }

  /// Returns the tensor with that name; nil if it is missing or not part of the model.
  package subscript(_ name: String) -> TensorView? {
    zip(table.rows, tensors).first { row, _ in row.name == name }?.1
  }

  /// The weights without a head, which is then initialized: a new head shares the word embedding.
  var ofBackbone: ResolvedWeights {
    let found = zip(table.rows, tensors).compactMap { $0.isBackbone ? ($0.name, $1) : nil }
    return ResolvedWeights(
      configuration.withNewHead, Dictionary(uniqueKeysWithValues: found).compactMapValues(\.self), notes: notes)
  }
}

extension Configuration {
  /// The configuration of a model with a new head, which uses the word embedding, as in KerasHub and transformers.
  var withNewHead: Configuration {
    var configuration = self
    configuration.tiesWeights = true
    return configuration
  }
}
