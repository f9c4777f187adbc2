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
