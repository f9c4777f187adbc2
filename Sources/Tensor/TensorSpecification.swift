/// The name, shape and role of a trained tensor.
package struct TensorSpecification: Sendable, Equatable {
  /// The role of a tensor, which determines its initialization and weight decay.
  package enum Role: Sendable {
    /// An embedding table, whose rows are looked up.
    case embedding
    /// The matrix of a dense layer, [out, in].
    case kernel
    /// The bias of a dense layer.
    case bias
    /// The gain of a LayerNorm.
    case normGain
    /// The bias of a LayerNorm.
    case normBias
  }

  /// The name in Hugging Face's files.
  package let name: String
  /// The shape; [out, in] for dense kernels.
  package let shape: [Int]
  /// The role.
  package let role: Role

  package init(name: String, shape: [Int], role: Role) { (self.name, self.shape, self.role) = (name, shape, role) }

  /// The number of elements.
  package var count: Int { shape.reduce(1, *) }
  /// Whether weight decay applies, which excludes biases and LayerNorm.
  package var decays: Bool { role == .embedding || role == .kernel }
}
