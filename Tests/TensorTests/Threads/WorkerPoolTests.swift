import Glibc
import Synchronization
import Testing

@testable import Tensor

@Suite struct WorkerPoolTests {
  /// Numbers that workers write, each one a separate number.
  private final class Counts: @unchecked Sendable {
    let values: UnsafeMutablePointer<Int>
    private let count: Int

    init(_ count: Int) {
      self.count = count
      values = .allocate(capacity: max(1, count))
      values.initialize(repeating: 0, count: count)
    }

    deinit { values.deallocate() }

    var array: [Int] { (0..<count).map { values[$0] } }
  }

  @Test(arguments: [1, 2, 3, 8])
  func runCallsEachWorkerOnce(_ threads: Int) {
    let pool = WorkerPool(threads: threads)
    #expect(pool.threads == threads)
    let counts = Counts(threads)
    for _ in 0..<100 { pool.run { counts.values[$0] += 1 } }
    #expect(counts.array == [Int](repeating: 100, count: threads))
  }

  @Test(arguments: [1, 2, 3, 8])
  func forEachTakesEachItemOnce(_ threads: Int) {
    let pool = WorkerPool(threads: threads)
    for count in [0, 1, 2, threads, 7, 1000] {
      let counts = Counts(count)
      pool.forEach(count) { worker, item in
        #expect((0..<threads).contains(worker))
        counts.values[item] += 1
      }
      #expect(counts.array == [Int](repeating: 1, count: count))
    }
  }

  /// Every small shape: the ranges cover everything once, begin at multiples, and belong to the workers in order.
  @Test(arguments: [1, 2, 3, 8])
  func splitCoversAllOnce(_ threads: Int) {
    let pool = WorkerPool(threads: threads)
    for count in 0...40 {
      for alignment in [1, 2, 5, 12, 16] {
        let counts = Counts(count)
        let starts = Counts(threads)
        pool.split(count, alignment: alignment) { worker, range in
          if range.lowerBound % alignment != 0 || range.isEmpty {
            starts.values[worker] = -1
          } else {
            starts.values[worker] = range.lowerBound + 1
          }
          for index in range { counts.values[index] += 1 }
        }
        #expect(counts.array == [Int](repeating: 1, count: count), "\(count) by \(alignment)")
        let used = starts.array.filter { $0 != 0 }
        #expect(used == used.sorted() && !used.contains(-1), "\(count) by \(alignment)")
      }
    }
  }

  /// Every small shape: everything is distributed once, in ranges that begin at multiples. The next range is known in
  /// advance, and `initialShare` returns the first one.
  @Test(arguments: [1, 2, 3, 8])
  func distributeGivesAllOnce(_ threads: Int) {
    let pool = WorkerPool(threads: threads)
    for count in [0, 1, 4, 5, 23, 24, 25, 96, 100, 768] {
      for (unit, allowsStealing) in [(1, true), (5, true), (24, true), (5, false), (24, false)] {
        let counts = Counts(count)
        let errors = Counts(threads)
        pool.distribute(count, unit: unit, allowsStealing: allowsStealing) { worker, queue in
          let first = pool.initialShare(of: count, unit: unit, allowsStealing: allowsStealing, worker: worker)
          if let first, first != queue.next { errors.values[worker] += 1 }
          var expected = queue.next
          while let range = queue.take() {
            if range != expected || range.isEmpty || range.lowerBound % unit != 0 { errors.values[worker] += 1 }
            for index in range { counts.values[index] += 1 }
            expected = queue.next
          }
          if expected != nil { errors.values[worker] += 1 }
        }
        let what: Comment = "\(count) by \(unit), \(allowsStealing)"
        #expect(counts.array == [Int](repeating: 1, count: count), what)
        #expect(errors.array == [Int](repeating: 0, count: threads), what)
      }
    }
  }

  /// A slow worker gets less of the rest. Here, one stops after its initial share until the other has done everything
  /// else.
  @Test func theRestGoesToWhoeverIsFree() {
    final class Flag: Sendable { let isRaised = Atomic<Bool>(false) }
    let (pool, counts, done) = (WorkerPool(threads: 2), Counts(2), Flag())
    pool.distribute(160, unit: 1, allowsStealing: true) { worker, queue in
      while let range = queue.take() {
        counts.values[worker] += range.count
        while worker == 0, !done.isRaised.load(ordering: .acquiring) { usleep(100) }
      }
      if worker == 1 { done.isRaised.store(true, ordering: .releasing) }
    }
    // The initial 60, and the next one, which it knows already.
    #expect(counts.array == [61, 99])
  }

  /// The caller sees the writes of workers after each run, with and without time to fall asleep between runs.
  @Test(arguments: [2, 3, 8])
  func manyShortRuns(_ threads: Int) {
    let pool = WorkerPool(threads: threads)
    let counts = Counts(threads)
    let runs = threads > 2 ? 20_000 : 100_000
    for run in 1...runs {
      pool.run { counts.values[$0] += 1 }
      if run % 5_000 == 0 {
        #expect(counts.array == [Int](repeating: run, count: threads))
        usleep(2_000)
      }
    }
    #expect(counts.array == [Int](repeating: runs, count: threads))
  }

  /// A pool waits for its threads when it is released while they spin, sleep or have just started.
  @Test func poolsEnd() {
    let before = threadsOfThisProcess()
    for round in 0..<200 {
      let pool = WorkerPool(threads: 4)
      if round % 3 > 0 { pool.run { _ in } }
      if round % 3 > 1 { usleep(500) }
    }
    // Other tests run pools at the same time, but 600 leftover threads would still show.
    #expect(threadsOfThisProcess() < before + 300)
  }

  @Test func theBodyIsReleased() {
    final class Token {}
    weak var weakToken: Token?
    let pool = WorkerPool(threads: 3)
    do {
      let token = Token()
      weakToken = token
      pool.run { _ in withExtendedLifetime(token) {} }
    }
    #expect(weakToken == nil)
  }

  private func threadsOfThisProcess() -> Int {
    guard let folder = opendir("/proc/self/task") else { return 0 }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    return count
  }
}
