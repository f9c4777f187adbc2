/// Shares of work in proportion to how fast each worker has been of late: cores of two kinds, and what else runs on a machine, make them
/// differ. For work whose results do not depend on who does which part of it.
///
/// Two threads on a machine with neighbours, equal parts of 2, 9 or 26 ms: together they take 5 % longer than if both ended at once.
/// Shares by the last parts' speeds save 2 to 3 of that; with 20 ms for `memory` a step takes 1.5 to 3.5 % longer than with 3.
final class WorkerShares: @unchecked Sendable {
  /// Where each worker's share begins, from 0 to 1, and where the last one's ends.
  let bounds: UnsafeMutablePointer<Double>

  private let workers: Int
  /// In multiples of their mean.
  private let speeds: UnsafeMutablePointer<Double>
  /// What each worker's last part took, a cache line apart.
  private let seconds: UnsafeMutablePointer<Double>
  private static let stride = 8

  /// Seconds of work after which what was known before counts for half.
  private static let memory = 0.003
  /// The least speed that is believed: a worker without work could not prove faster again.
  private static let least = 0.25

  init(workers: Int) {
    self.workers = workers
    bounds = .allocate(capacity: workers + 1)
    speeds = .allocate(capacity: workers)
    seconds = .allocate(capacity: workers * Self.stride)
    speeds.initialize(repeating: 1, count: workers)
    seconds.initialize(repeating: 0, count: workers * Self.stride)
    for worker in 0...workers { (bounds + worker).initialize(to: Double(worker) / Double(workers)) }
  }

  deinit {
    bounds.deallocate()
    speeds.deallocate()
    seconds.deallocate()
  }

  /// Says how long a worker took for its part of something; the worker itself may.
  func note(_ worker: Int, seconds: Double) { self.seconds[worker * Self.stride] = seconds }

  /// To be called when each worker's time is noted. `size`: of its part, in any unit.
  func adapt(size: (_ worker: Int) -> Double) {
    var (mean, duration) = (0.0, 0.0)
    for worker in 0..<workers {
      let (size, seconds) = (size(worker), seconds[worker * Self.stride])
      guard size > 0, seconds > 0 else { return }
      mean += size / seconds / Double(workers)
      duration += seconds / Double(workers)
    }
    let weight = duration / (duration + Self.memory)
    var sum = 0.0
    for worker in 0..<workers {
      let speed = size(worker) / seconds[worker * Self.stride] / mean
      speeds[worker] = max(Self.least, speeds[worker] + weight * (speed - speeds[worker]))
      sum += speeds[worker]
    }
    for worker in 0..<workers { bounds[worker + 1] = bounds[worker] + speeds[worker] / sum }
    bounds[workers] = 1
  }
}
