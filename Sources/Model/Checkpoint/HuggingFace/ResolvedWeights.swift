import Tensor

/// The weights of a model as they were found in files: under their own names, checked, in the order of
/// `ParameterTable`.
package struct ResolvedWeights: Sendable {
  /// That of config.json, tied or not as the weights are.
  package let configuration: Configuration
  /// What a model of that configuration needs.
  let table: ParameterTable
  /// As many as the table has rows; nil where a tensor of the head is missing and must be initialized.
  package let tensors: [TensorView?]
  /// What a person should know: ignored tensors, a missing head. Each one line.
  package let notes: [String]

  init(_ configuration: Configuration, _ found: [String: TensorView], notes: [String]) {
    self.configuration = configuration
    table = configuration.parameterTable
    tensors = table.rows.map { found[$0.name] }
    self.notes = notes
  }

  /// The tensors of the head that must be initialized.
  var missing: [ParameterTable.Row] { zip(table.rows, tensors).compactMap { $1 == nil ? $0 : nil } }

  /// Whether the files hold a head. The bias of the scores may be missing: it is zero then.
  package var hasHead: Bool { missing.allSatisfy { $0.name == ParameterTable.projectorBias } }

  /// The tensor of that name; nil where it is missing, or no model has it.
  package subscript(_ name: String) -> TensorView? {
    zip(table.rows, tensors).first { row, _ in row.name == name }?.1
  }

  /// The same without a head, which is then initialized: a new one shares the word embedding.
  var ofBackbone: ResolvedWeights {
    let found = zip(table.rows, tensors).compactMap { $0.isBackbone ? ($0.name, $1) : nil }
    return ResolvedWeights(
      configuration.withNewHead, Dictionary(uniqueKeysWithValues: found).compactMapValues(\.self), notes: notes)
  }
}

extension Configuration {
  /// That of a model with a head that is made anew, as KerasHub and transformers make it: over the word embedding.
  var withNewHead: Configuration {
    var configuration = self
    configuration.tiesWeights = true
    return configuration
  }
}
