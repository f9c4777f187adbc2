import Files
import Tensor

/// A layer's tensor is missing in the store: the table of names and the layers disagree.
struct MissingParameter: ModelError {
  let name: String
  var message: String { "the model has no parameter '\(name)'" }
}

/// Finds the parameters of layers by the names of their modules (`ParameterTable.Module`).
struct ParameterLookUp {
  private let store: ParameterStore

  init(_ store: ParameterStore) { self.store = store }

  subscript(name: String) -> Parameter {
    get throws(MissingParameter) {
      guard let parameter = store[name] else { throw MissingParameter(name: name) }
      return parameter
    }
  }

  func embedding(_ module: String) throws(MissingParameter) -> Parameter { try self[module + ".weight"] }

  func dense(_ module: String) throws(MissingParameter) -> Dense {
    Dense(weight: try self[module + ".weight"], bias: try self[module + ".bias"])
  }

  func norm(_ module: String, _ epsilon: Float) throws(MissingParameter) -> LayerNorm {
    LayerNorm(gain: try self[module + ".weight"], bias: try self[module + ".bias"], epsilon: epsilon)
  }
}
