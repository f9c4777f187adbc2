/// The resources of a computation: the workers that share it, and the memory for its activations.
///
/// A training step, or one short input, uses all workers in one context. Inference on many inputs has one context per
/// worker, with the serial pool, and no barriers inside.
package struct Context {
  package let pool: WorkerPool
  package let arena: Arena

  package init(pool: WorkerPool, arena: Arena = Arena()) {
    self.pool = pool
    self.arena = arena
  }

  package func matrix(_ rows: Int, _ columns: Int) -> Matrix { arena.matrix(rows: rows, columns: columns) }

  /// Calls `body`, then releases the arena's memory that it allocated.
  package func temporary<Result>(_ body: () throws -> Result) rethrows -> Result {
    let mark = arena.mark
    defer { arena.release(to: mark) }
    return try body()
  }
}
