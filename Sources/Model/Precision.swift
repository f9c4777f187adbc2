import Tensor

/// The precision of a model's matrix products in inference. Everything between them (attention, norms, activations,
/// sums) is float32, and so is training.
public enum Precision: String, Sendable, CaseIterable {
  /// IEEE single precision.
  case float32
  /// The operands of products are rounded to bfloat16 (8 significant bits), sums are float32.
  case bfloat16
  /// The encoder's weights are integers −127 … 127 with a scale for each output, its activations with a scale for each
  /// token. Sums are exact.
  case int8
}

extension Precision {
  /// The format of the encoder's weights; nil for float32.
  var encoderFormat: ReducedFormat? {
    switch self {
    case .float32: nil
    case .bfloat16: .bfloat16
    case .int8: .int8
    }
  }

  /// The format of the weights of the head, and of the last encoder layer's products of masked rows; nil for float32.
  var headFormat: ReducedFormat? {
    switch self {
    case .float32: nil
    case .bfloat16: .bfloat16
    case .int8: .bfloat16InOrder
    }
  }
}

extension Configuration {
  /// The precision that a model computes in unless another is chosen: that of its files.
  package var storedPrecision: Precision { quantization == nil ? .float32 : .int8 }
}
