@testable import Model

/// Small, fast models.
enum SmallModel {
  /// The reference's model: 256 word pieces, 3 layers of 32 units, trained weights.
  static let micro = Golden.url("model/micro").path

  static func micro(
    seed: UInt64 = 0, threads: Int = 2, dropout: Float? = nil
  ) throws -> DistilBertMaskedLM {
    try .fromPreset(micro, seed: seed, threads: threads, dropout: dropout)
  }
}
