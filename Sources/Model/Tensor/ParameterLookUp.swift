/// A layer asked for a tensor that the store does not have: the table of names and the layers disagree.
struct MissingParameter: ModelError {
  let name: String
  var message: String { "the model has no parameter '\(name)'" }
}

/// Finds the parameters of layers by name.
struct ParameterLookUp {
  private let store: ParameterStore
  private let prefix: String

  init(_ store: ParameterStore, prefix: String = "") {
    self.store = store
    self.prefix = prefix
  }

  subscript(name: String) -> Parameter {
    get throws(MissingParameter) {
      guard let parameter = store[prefix + name] else { throw MissingParameter(name: prefix + name) }
      return parameter
    }
  }

  func dense(_ name: String) throws(MissingParameter) -> Dense {
    Dense(weight: try self[name + ".weight"], bias: try self[name + ".bias"])
  }

  func norm(_ name: String, _ epsilon: Float) throws(MissingParameter) -> LayerNorm {
    LayerNorm(gain: try self[name + ".weight"], bias: try self[name + ".bias"], epsilon: epsilon)
  }
}
