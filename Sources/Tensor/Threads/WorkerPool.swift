import CKernels
import Glibc
import Synchronization

/// A pool of persistent threads, each of which runs a task once, with the worker's index.
///
/// The caller is worker 0. If a result depends on the assignment of work to workers, the assignment follows from shapes
/// and indices alone, never from timing (DESIGN: determinism).
///
/// `run` must not be called from inside its own body, nor from two threads at once.
package final class WorkerPool: @unchecked Sendable {
  /// The number of workers, including the caller.
  package private(set) var threads = 1

  /// The counter of the next item in a `run`.
  let counter = Counter()
  private let barrier = TaskBarrier()
  private var handles: [pthread_t] = []

  /// A pool of only the calling thread, for work that is already one worker's share.
  package static let serial = WorkerPool(threads: 1)

  package init(threads: Int) {
    for index in 1..<max(1, threads) {
      let start = Unmanaged.passRetained(Start(barrier: barrier, index: index))
      var handle = pthread_t()
      let status = pthread_create(
        &handle, nil,
        { argument in
          guard let argument else { return nil }
          let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
          start.work()
          return nil
        }, start.toOpaque())
      // No more threads are available: the existing ones share the work.
      guard status == 0 else { start.release(); break }
      handles.append(handle)
      self.threads += 1
    }
  }

  deinit {
    guard threads > 1 else { return }
    barrier.stop()
    for handle in handles { pthread_join(handle, nil) }
  }

  /// Runs `body(worker)` for every worker and returns when all are done.
  package func run(_ body: (Int) -> Void) {
    guard threads > 1 else { return body(0) }
    withoutActuallyEscaping(body) { body in
      barrier.post(body, others: threads - 1)
      body(0)
      barrier.waitForOthers()
    }
  }

  /// Runs `body(worker, item)` once for each item in 0 ..< count, on the next free worker.
  ///
  /// The results must not depend on the worker.
  package func forEach(_ count: Int, _ body: (_ worker: Int, _ item: Int) -> Void) {
    guard threads > 1, count > 1 else {
      for item in 0..<count { body(0, item) }
      return
    }
    counter.reset()
    run { worker in
      while case let item = counter.take(), item < count { body(worker, item) }
    }
  }

  /// Cuts 0 ..< count into one range per worker, at multiples of `alignment`, and runs the body on those that are not
  /// empty.
  package func split(_ count: Int, alignment: Int = 1, _ body: (_ worker: Int, _ range: Range<Int>) -> Void) {
    guard min(threads, (count + alignment - 1) / alignment) > 1 else {
      if count > 0 { body(0, 0..<count) }
      return
    }
    run { worker in
      if let part = part(of: count, alignment: alignment, worker: worker) { body(worker, part) }
    }
  }

  /// The range that `split` gives to a worker; nil if it gets none.
  package func part(of count: Int, alignment: Int, worker: Int) -> Range<Int>? {
    let units = (count + alignment - 1) / alignment
    let workers = min(threads, units)
    guard worker < workers else { return nil }
    let range = Self.part(worker, of: workers, count: count, alignment: alignment)
    return range.isEmpty ? nil : range
  }

  /// Part number `part` (0 ..< parts) of 0 ..< count, cut at multiples of `alignment`. `parts` must not exceed the
  /// number of these multiples.
  package static func part(_ part: Int, of parts: Int, count: Int, alignment: Int = 1) -> Range<Int> {
    let units = (count + alignment - 1) / alignment
    return units * part / parts * alignment..<min(count, units * (part + 1) / parts * alignment)
  }

  /// The argument of a new thread.
  private final class Start {
    private let index: Int
    private let barrier: TaskBarrier

    init(barrier: TaskBarrier, index: Int) {
      self.barrier = barrier
      self.index = index
    }

    func work() { barrier.work(index) }
  }
}

/// Returns each number from 0 on once, to one of several threads.
final class Counter: Sendable {
  private let next = Atomic<Int>(0)
  func take() -> Int { next.add(1, ordering: .relaxed).oldValue }
  func reset() { next.store(0, ordering: .relaxed) }
}

/// The barrier at which threads wait for a task, and the caller for the threads. Threads retain the barrier, not the
/// pool, which would otherwise never be released: a running method keeps its object alive.
private final class TaskBarrier: @unchecked Sendable {
  private let generation = Atomic<Int>(0)
  private let pending = Atomic<Int>(0)
  private let stopping = Atomic<Bool>(false)
  /// The monitors of `generation`, for sleeping workers, and of `pending`, for the caller.
  private let posted = Monitor()
  private let done = Monitor()
  /// The caller writes it while no worker runs; the workers read it after the generation changes.
  private var task: ((Int) -> Void)?

  /// The number of spins before a thread sleeps, some 25 µs (up to 100 µs on processors with long pauses): the gaps
  /// between the tasks of a step are shorter, and waking up takes longer. (Sleeping after 2 µs cost a 21-token line 1.5
  /// of 17 ms; 10 or 40 times as long is no gain for `fit`.)
  private static let spins = 2_500

  func post(_ body: @escaping (Int) -> Void, others: Int) {
    task = body
    pending.store(others, ordering: .relaxed)
    beginGeneration()
  }

  func stop() {
    stopping.store(true, ordering: .releasing)
    beginGeneration()
  }

  private func beginGeneration() {
    posted.locked {
      generation.add(1, ordering: .releasing)
      posted.broadcast()
    }
  }

  /// Returns when all workers are done and have released the task.
  func waitForOthers() {
    for _ in 0..<Self.spins {
      if pending.load(ordering: .acquiring) == 0 { break }
      mlm_pause()
    }
    if pending.load(ordering: .acquiring) > 0 {
      done.locked { while pending.load(ordering: .acquiring) > 0 { done.wait() } }
    }
    task = nil
  }

  /// The loop of a worker.
  func work(_ index: Int) {
    var seen = 0
    while true {
      seen = waitForWork(after: seen)
      if stopping.load(ordering: .acquiring) { return }
      perform(index)
      if pending.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
        done.locked { done.signal() }
      }
    }
  }

  /// A separate call, so that the reference to the task is released before the work is reported done: the caller's
  /// `withoutActuallyEscaping` ends the program if one is left.
  @inline(never)
  private func perform(_ index: Int) { task?(index) }

  private func waitForWork(after seen: Int) -> Int {
    for _ in 0..<Self.spins {
      let now = generation.load(ordering: .acquiring)
      if now != seen { return now }
      mlm_pause()
    }
    return posted.locked {
      while generation.load(ordering: .acquiring) == seen { posted.wait() }
      return generation.load(ordering: .acquiring)
    }
  }
}
