import Files
import Glibc

/// Retries a few times, with growing delays or the ones that the hub requests.
struct Retry {
  private let hub: Hub
  private let limit: Int
  /// The number of failed attempts.
  private(set) var count = 0

  /// The longest wait that the hub may request, in seconds.
  static let longestWait = 300.0

  /// - Parameter limit: the total number of attempts.
  init(_ hub: Hub, limit: Int) {
    self.hub = hub
    self.limit = limit
  }

  /// Whether a response calls for a retry.
  static func isBusy(_ head: HTTPHead) -> Bool { head.status == 408 || head.status == 429 || head.status >= 500 }

  /// Restarts the count of attempts after some progress.
  mutating func restart() { count = 0 }

  /// Waits before the next attempt.
  /// - Parameter asked: the wait that the hub requests, in seconds.
  /// - Throws: the error if this was the last attempt or the wait would be too long; `interrupted`.
  mutating func wait(after error: HubError, asked: Double?) throws(HubError) {
    count += 1
    if case .interrupted = error { throw error }
    guard count < limit, asked ?? 0 <= Self.longestWait else { throw error }
    let seconds = asked ?? hub.firstDelay * Double(1 << min(count - 1, 6))
    let when = seconds < 1 ? "now" : "in \(Int(seconds.rounded(.up))) s"
    hub.onEvent(.note("\(error.messageOfOneTry); retrying \(when)"))
    var partly: String?
    if case .broken(let file, _, let kept) = error, kept > 0 { partly = file }
    let end = MonotonicClock.seconds + seconds
    while true {
      if hub.shouldStop() { throw .interrupted(kept: partly) }
      let left = end - MonotonicClock.seconds
      if left <= 0 { return }
      usleep(UInt32(min(left, 0.1) * 1e6))
    }
  }
}
