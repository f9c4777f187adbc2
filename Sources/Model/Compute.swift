import Synchronization
import Tensor

/// The threads of a model, and the memory each works in.
final class Compute {
  let pool: WorkerPool
  /// Which thread has it.
  let exclusiveAccess = ExclusiveAccess()
  /// All workers on one piece of work.
  let joint: Context
  /// Each worker on work of its own.
  private let own: [Context]

  /// Rows that one worker computes at a time: more would leave the cache, fewer would not fill the products.
  static let microBatchRows = 512

  /// OpenBLAS as Debian builds it ends the process when more threads than about 96 call it at once.
  static let maximumThreads = 64

  /// - Parameter threads: at most `maximumThreads` are started.
  init(threads: Int) {
    pool = WorkerPool(threads: min(threads, Self.maximumThreads))
    joint = Context(pool: pool)
    own = (0..<pool.threads).map { _ in Context(pool: .serial) }
  }

  /// Computes batches, each by one worker from start to end; a single one by all together. `body` gets the batch's index.
  /// The results do not depend on which way was taken.
  ///
  /// - Throws: `CancellationError` where the caller's task is canceled; batches that were not begun are left out then.
  func forEach(_ batches: [Batch], _ body: (_ index: Int, Batch, Context) -> Void) throws {
    try Task.checkCancellation()
    if batches.count == 1 { return body(0, batches[0], joint) }
    let isCanceled = Atomic<Bool>(false)
    pool.forEach(batches.count) { worker, index in
      // The caller is one of the workers, and the only one that is part of its task.
      if Task.isCancelled { isCanceled.store(true, ordering: .relaxed) }
      if isCanceled.load(ordering: .relaxed) { return }
      body(index, batches[index], own[worker])
    }
    if isCanceled.load(ordering: .relaxed) { throw CancellationError() }
  }

  /// Asks for samples on all threads at once.
  func samples(_ indices: some RandomAccessCollection<Int>, of source: some SampleSource, epoch: Int) throws -> [Sample]
  {
    let indices = Array(indices)
    return try map(indices.count) { try source.sample(indices[$0], epoch: epoch) }
  }

  /// The values of `body` for 0 ..< count, computed on all threads; the first error in order is thrown.
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
