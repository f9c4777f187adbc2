import Glibc

/// A clock that only goes forward, whatever is done to the time of day.
package enum MonotonicClock {
  /// Seconds since some moment in the past.
  package static var seconds: Double { Double(nanoseconds) * 1e-9 }

  /// The same in nanoseconds.
  package static var nanoseconds: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}
