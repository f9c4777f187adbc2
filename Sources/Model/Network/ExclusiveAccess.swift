import Files
import Glibc
import Synchronization

/// Lets one thread at a time compute with a model.
///
/// The passes of a model share its memory for activations, so two threads must not run them at once. A lock would hide
/// the mistake, and a race would give wrong numbers, so the second thread gets an error.
final class ExclusiveAccess: Sendable {
  /// The thread's handle; 0 for none.
  private let owner = Atomic<UInt>(0)

  /// Runs a body with exclusive access.
  ///
  /// - Parameter nests: whether the call may run inside another one on the same thread, such as from a callback of
  ///   `fit`.
  /// - Throws: `ModelUseError.inUse`, or the body's error.
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
