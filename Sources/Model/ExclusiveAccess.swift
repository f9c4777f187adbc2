import Files
import Glibc
import Synchronization

/// Who computes with a model at the moment: one thread, or none.
///
/// The passes of a model share its memory for activations, so that two threads must not run them at once. Waiting for each other would
/// hide the mistake, and racing would give wrong numbers: the second one is refused.
final class ExclusiveAccess: Sendable {
  /// The thread's handle; 0 for none.
  private let owner = Atomic<UInt>(0)

  /// Runs what needs the model for itself.
  ///
  /// - Parameter nests: whether it may run inside another such body on the same thread, as from a callback of `fit`.
  /// - Throws: `ModelUseError.inUse`, or what the body throws.
  func claim<Value>(nests: Bool = true, _ body: () throws -> Value) throws -> Value {
    let thread = UInt(pthread_self())
    let (isClaimed, other) = owner.compareExchange(expected: 0, desired: thread, ordering: .acquiringAndReleasing)
    guard isClaimed else {
      guard nests, other == thread else { throw ModelUseError.inUse }
      return try body()
    }
    defer { owner.store(0, ordering: .releasing) }
    return try body()
  }
}

/// A model asked for what it cannot do.
public enum ModelUseError: ModelError, Equatable {
  /// Text, for a model that was made without a preprocessor.
  case noPreprocessor
  /// Another thread computes with it; or `fit` was called by a callback of `fit`.
  case inUse
  /// A backbone that a model has been made of already.
  case backboneIsTaken
  /// A preprocessor whose vocabulary is larger than the model's.
  case vocabularyTooLarge(pieces: Int, rows: Int)

  public var message: String {
    switch self {
    case .noPreprocessor: "the model has no preprocessor and takes preprocessed samples alone"
    case .inUse: "the model is in use: it computes one call at a time"
    case .backboneIsTaken: "the backbone belongs to another DistilBertMaskedLM already"
    case .vocabularyTooLarge(let pieces, let rows):
      "the preprocessor's vocabulary has \(pieces) word pieces, but the model \(rows) rows for them"
    }
  }

  public var hint: String? {
    switch self {
    case .noPreprocessor: "set `preprocessor`, or pass MaskedLMFeatures"
    case .inUse: "make the calls one after the other, or load a model for each thread"
    case .backboneIsTaken: "use that model's `backbone`, or make a new one"
    case .vocabularyTooLarge: nil
    }
  }
}
