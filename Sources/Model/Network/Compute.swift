import Synchronization
import Tensor

/// A model's threads, with the memory of each.
final class Compute {
  let pool: WorkerPool
  /// The thread that uses them.
  let exclusiveAccess = ExclusiveAccess()
  /// The context in which all workers share one batch.
  let joint: Context
  /// One context per worker, for batches that one worker computes alone.
  private let own: [Context]

  /// The rows that one worker computes at a time: more would leave the cache, fewer would not fill the products.
  static let microBatchRows = 512

  /// The most threads. Debian's build of OpenBLAS ends the process when more than about 96 threads call it at once.
  static let maximumThreads = 64

  /// - Parameter threads: the number of threads; at most `maximumThreads` are started.
  init(threads: Int) {
    pool = WorkerPool(threads: min(threads, Self.maximumThreads))
    joint = Context(pool: pool)
    own = (0..<pool.threads).map { _ in Context(pool: .serial) }
  }

  /// Computes batches: several with one worker each, a single one with all workers. `body` gets the batch's index. The
  /// results do not depend on the split.
  ///
  /// - Throws: `CancellationError` if the caller's task is canceled; the remaining batches are then skipped.
  func forEach(_ batches: [Batch], _ body: (_ index: Int, Batch, Context) -> Void) throws {
    try Task.checkCancellation()
    if batches.count == 1 { return body(0, batches[0], joint) }
    let isCanceled = Atomic<Bool>(false)
    pool.forEach(batches.count) { worker, index in
      // The caller is one of the workers, and the only one that runs in its task.
      if Task.isCancelled { isCanceled.store(true, ordering: .relaxed) }
      if isCanceled.load(ordering: .relaxed) { return }
      body(index, batches[index], own[worker])
    }
    if isCanceled.load(ordering: .relaxed) { throw CancellationError() }
  }

  /// Reads samples on all threads.
  func samples(_ indices: some RandomAccessCollection<Int>, of source: some SampleSource, epoch: Int) throws -> [Sample]
  {
    let indices = Array(indices)
    return try map(indices.count) { try source.sample(indices[$0], epoch: epoch) }
  }

  /// Returns the values of `body` for 0 ..< count, computed on all threads. Throws the error of the lowest index.
  func map<Value>(_ count: Int, _ body: (Int) throws -> Value) throws -> [Value] {
    let results = UnsafeMutablePointer<Result<Value, any Error>?>.allocate(capacity: max(1, count))
    results.initialize(repeating: nil, count: count)
    defer {
      results.deinitialize(count: count)
      results.deallocate()
    }
    pool.forEach(count) { _, index in results[index] = Result { try body(index) } }
    return try (0..<count).compactMap { try results[$0]?.get() }
  }
}
