/// A trained tensor: its name, its shape, and what it is for.
package struct TensorSpecification: Sendable, Equatable {
  /// What a tensor is for; by it, it is initialized and decays.
  package enum Role: Sendable {
    /// Rows that are looked up.
    case embedding
    /// The matrix of a dense layer, [out, in].
    case kernel
    /// What a dense layer adds.
    case bias
    /// What a LayerNorm multiplies by.
    case normGain
    /// What a LayerNorm adds.
    case normBias
  }

  /// Its name in Hugging Face's files.
  package let name: String
  /// Dense kernels are [out, in].
  package let shape: [Int]
  /// What it is for.
  package let role: Role

  package init(name: String, shape: [Int], role: Role) { (self.name, self.shape, self.role) = (name, shape, role) }

  /// The number of its elements.
  package var count: Int { shape.reduce(1, *) }
  /// Whether weight decay applies: not to biases and LayerNorm.
  package var decays: Bool { role == .embedding || role == .kernel }
}
