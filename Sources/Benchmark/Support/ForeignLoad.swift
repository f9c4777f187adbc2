import Glibc

/// How much of the machine others used since it was made.
struct ForeignLoad {
  private let start = now()
  private let busy = ForeignLoad.busySeconds
  private let own = ForeignLoad.ownSeconds

  /// Processors used on average by others than this process and children that used `children` seconds.
  func processors(without children: Double) -> Double {
    let others = Self.busySeconds - busy - (Self.ownSeconds - own) - children
    return max(0, others / max(now() - start, 1e-9))
  }

  /// Of all processors together, since the machine started; what the host took from a guest is counted.
  private static var busySeconds: Double {
    let line = (Files.text("/proc/stat") ?? "").split(separator: "\n").first ?? ""
    let ticks = line.split(separator: " ").dropFirst().map { Double($0) ?? 0 }
    guard ticks.count >= 8 else { return 0 }
    // user, nice, system, idle, iowait, irq, softirq, steal
    return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  private static var ownSeconds: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6
  }
}
