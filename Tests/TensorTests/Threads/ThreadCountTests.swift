import Testing

@testable import Files
@testable import Tensor

@Suite struct ThreadCountTests {
  func count(_ variables: [String: String] = [:], cpus: Int = 8, quota: Double? = nil) -> Int {
    ThreadCount.standard(environment: { variables[$0] }, allowedCPUs: cpus, quota: quota)
  }

  @Test func theEnvironmentDecidesFirst() {
    #expect(count(["OMP_NUM_THREADS": "3"]) == 3 && count(["OMP_NUM_THREADS": "4,2"]) == 4)
    #expect(count(["OPENBLAS_NUM_THREADS": "5"]) == 5)
    #expect(count(["OMP_NUM_THREADS": "none", "OPENBLAS_NUM_THREADS": "0"]) == 8)
  }

  @Test func affinityAndQuota() {
    #expect(count(quota: 1.5) == 2 && count(quota: 0.2) == 1 && count(quota: 100) == 8 && count(quota: 1e300) == 8)
    #expect(ThreadCount.count(inList: "0-3,8") == 5 && ThreadCount.count(inList: "x") == nil)
    #expect(ThreadCount.allowedCPUs(status: "Name:\tx\nCpus_allowed_list:\t1,4-5\n") == 3)
    #expect(ThreadCount.allowedCPUs() >= 1)
  }

  @Test func controlGroups() {
    let version2 = [
      "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
      "/sys/fs/cgroup/a/cpu.max": "150000 100000\n",
    ]
    #expect(Cgroup.quota(read: { version2[$0] }) == 1.5)
    let version1 = [
      "/proc/self/cgroup": "5:memory:/\n4:cpu,cpuacct:/\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000\n", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    ]
    #expect(Cgroup.quota(read: { version1[$0] }) == 2)
    #expect(Cgroup.quota(read: { _ in nil }) == nil)
    #expect(Cgroup.version1Quota("-1\n", "100000\n") == nil)
  }
}
