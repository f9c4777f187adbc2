import Glibc

/// The default number of threads.
package enum ThreadCount {
  /// `OMP_NUM_THREADS` or `OPENBLAS_NUM_THREADS` if set, else the number of CPUs that this process may use.
  package static func standard(environment: (String) -> String?) -> Int {
    standard(environment: environment, allowedCPUs: allowedCPUs(), quota: Cgroup.quota())
  }

  static func standard(environment: (String) -> String?, allowedCPUs: Int, quota: Double?) -> Int {
    for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"] {
      // OpenMP accepts a list with a number for each level of nesting.
      if let value = environment(name), let first = value.split(separator: ",").first, let count = Int(first), count > 0
      {
        return min(count, 1024)
      }
    }
    let byQuota = quota.map { $0 >= 1024 ? 1024 : Int($0.rounded(.up)) } ?? 1024
    return max(1, min(allowedCPUs, byQuota))
  }

  /// The number of CPUs in this process's affinity mask, from the line `Cpus_allowed_list` of /proc/self/status.
  /// Swift's Glibc does not have the system call.
  static func allowedCPUs(status: String? = Cgroup.smallFile("/proc/self/status")) -> Int {
    let name = "Cpus_allowed_list:"
    guard let line = status?.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
      let count = count(inList: line.dropFirst(name.count).filter { !$0.isWhitespace }), count > 0
    else { return max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
    return count
  }

  /// The count of numbers in a list such as `0-3,8`.
  static func count(inList list: String) -> Int? {
    var total = 0
    for part in list.split(separator: ",") {
      let bounds = part.split(separator: "-")
      guard let low = bounds.first.flatMap({ Int($0) }), let high = bounds.last.flatMap({ Int($0) }), low <= high,
        high < 1 << 20
      else { return nil }
      total += high - low + 1
    }
    return total
  }
}

/// The CPU quota of this process's control group.
enum Cgroup {
  /// The smallest quota of the group and its parents, in CPUs, possibly a fraction; nil if there is no limit.
  static func quota(read: (String) -> String? = smallFile) -> Double? {
    guard let membership = read("/proc/self/cgroup") else { return nil }
    var tightest: Double?
    for line in membership.split(separator: "\n") {
      // hierarchy:controllers:path
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let version2 = fields[0] == "0" && fields[1].isEmpty
      guard version2 || fields[1].split(separator: ",").contains("cpu") else { continue }
      var path = fields[2] == "/" ? "" : String(fields[2])
      while true {
        let found =
          version2
          ? version2Quota(read("/sys/fs/cgroup" + path + "/cpu.max"))
          : version1Quota(
            read("/sys/fs/cgroup/cpu" + path + "/cpu.cfs_quota_us"),
            read("/sys/fs/cgroup/cpu" + path + "/cpu.cfs_period_us"))
        if let found { tightest = min(tightest ?? .infinity, found) }
        guard let slash = path.lastIndex(of: "/") else { break }
        path = String(path[..<slash])
      }
    }
    return tightest
  }

  /// Parses `max 100000`, or `150000 100000` for one and a half CPUs.
  static func version2Quota(_ text: String?) -> Double? {
    guard let fields = text?.split(whereSeparator: { $0 == " " || $0 == "\n" }), fields.count == 2 else { return nil }
    return ratio(Double(fields[0]), Double(fields[1]))
  }

  static func version1Quota(_ quota: String?, _ period: String?) -> Double? {
    ratio(quota.flatMap { Double($0.filter { $0 != "\n" }) }, period.flatMap { Double($0.filter { $0 != "\n" }) })
  }

  private static func ratio(_ quota: Double?, _ period: Double?) -> Double? {
    guard let quota, let period, quota > 0, period > 0 else { return nil }
    return quota / period
  }

  /// The first 16 KiB of a file.
  static func smallFile(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 14)
    let count = read(descriptor, &bytes, bytes.count)
    return count >= 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
  }
}
