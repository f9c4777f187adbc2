import Glibc

/// A clock that only moves forward, even if the time of day is changed.
package enum MonotonicClock {
  /// Seconds since an arbitrary moment in the past.
  package static var seconds: Double { Double(nanoseconds) * 1e-9 }

  /// Nanoseconds since the same moment.
  package static var nanoseconds: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}
