import Files
import Glibc

/// Trying again: a few times, with growing delays, or when the hub says.
struct Retry {
  private let hub: Hub
  private let limit: Int
  /// Tries that failed.
  private(set) var count = 0

  /// Seconds to wait at most because the hub asks for it.
  static let longestWait = 300.0

  /// - Parameter limit: tries in all.
  init(_ hub: Hub, limit: Int) {
    self.hub = hub
    self.limit = limit
  }

  /// Whether the answer is one to ask for again.
  static func isBusy(_ head: HTTPHead) -> Bool { head.status == 408 || head.status == 429 || head.status >= 500 }

  /// There was progress: the tries are counted anew.
  mutating func restart() { count = 0 }

  /// Waits for the next try.
  /// - Parameter asked: seconds that the hub asked to wait.
  /// - Throws: the error where it was the last try, or the wait would be too long; `interrupted`.
  mutating func wait(after error: HubError, asked: Double?) throws(HubError) {
    count += 1
    if case .interrupted = error { throw error }
    guard count < limit, asked ?? 0 <= Self.longestWait else { throw error }
    let seconds = asked ?? hub.firstDelay * Double(1 << min(count - 1, 6))
    let when = seconds < 1 ? "at once" : "in \(Int(seconds.rounded(.up))) s"
    hub.onEvent(.note("\(error.messageOfOneTry); trying again \(when)"))
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
