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
