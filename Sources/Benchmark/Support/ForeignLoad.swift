import Glibc

/// The load from other processes during a measurement.
struct ForeignLoad {
  private var elapsed = 0.0
  private var foreign = 0.0

  /// The average number of processors used by processes other than this one and the measured children.
  var processors: Double { elapsed > 0 ? max(0, foreign / elapsed) : 0 }

  /// Measures while `body` runs, under the lock if there is one.
  mutating func watch<Result>(_ children: [pid_t], lock: MachineLock?, _ body: () throws -> Result) rethrows -> Result {
    lock?.take()
    defer { lock?.release() }
    let start = now()
    let before = Self.foreignSeconds(children)
    defer {
      elapsed += now() - start
      foreign += Self.foreignSeconds(children) - before
    }
    return try body()
  }

  private static func foreignSeconds(_ children: [pid_t]) -> Double {
    busySeconds - ownSeconds - children.reduce(0) { $0 + seconds(of: $1) }
  }

  private static let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))

  /// Busy time of all processors since the machine started, including time that the host took from a guest.
  private static var busySeconds: Double {
    let line = (Files.text("/proc/stat") ?? "").split(separator: "\n").first ?? ""
    let ticks = line.split(separator: " ").dropFirst().map { Double($0) ?? 0 }
    guard ticks.count >= 8 else { return 0 }
    // user, nice, system, idle, iowait, irq, softirq, steal
    return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) / ticksPerSecond
  }

  private static var ownSeconds: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6
  }

  /// Processor time of a running process.
  private static func seconds(of process: pid_t) -> Double {
    // The name in parentheses may contain spaces; utime and stime are the 12th and 13th fields after it.
    let text = Files.text("/proc/\(process)/stat") ?? ""
    let fields = (text.split(separator: ")").last ?? "").split(separator: " ")
    guard fields.count > 12 else { return 0 }
    return ((Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)) / ticksPerSecond
  }
}

/// A lock shared by several runs on one machine, so that they do not measure at the same time.
final class MachineLock {
  private let descriptor: Int32
  private var since: Double?

  /// The lock is kept over short gaps, and passed to a waiting process after this many seconds.
  private static let lease = 100.0

  init(path: String) throws {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw BenchmarkError("cannot open \(path)", hint: "name another file with --lock") }
  }

  deinit { close(descriptor) }

  func take() {
    guard since == nil else { return }
    while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
    since = now()
  }

  func release() {
    guard let taken = since, now() - taken > Self.lease else { return }
    _ = flock(descriptor, LOCK_UN)
    since = nil
    usleep(200_000)
  }
}
