import Files
import Synchronization

/// The total time that the threads of this process spend in matrix products. Off by default: each measured product
/// reads a clock twice, which takes some 50 ns of microseconds.
///
///     ProductClock.start()
///     …
///     let share = ProductClock.seconds / (Double(threads) * secondsSinceThen)
package enum ProductClock {
  private static let isRunning = Atomic<Bool>(false)
  private static let nanoseconds = Atomic<Int>(0)

  /// Starts the measurement at zero.
  package static func start() {
    nanoseconds.store(0, ordering: .relaxed)
    isRunning.store(true, ordering: .relaxed)
  }

  /// Ends the measurement.
  package static func stop() { isRunning.store(false, ordering: .relaxed) }

  /// The total time of all threads since `start`, in seconds.
  package static var seconds: Double { Double(nanoseconds.load(ordering: .relaxed)) * 1e-9 }

  /// Begins a product. Returns the argument of `end`.
  @inline(__always)
  package static func begin() -> Int { isRunning.load(ordering: .relaxed) ? MonotonicClock.nanoseconds : 0 }

  @inline(__always)
  package static func end(_ start: Int) {
    if start != 0 { nanoseconds.add(MonotonicClock.nanoseconds - start, ordering: .relaxed) }
  }
}
