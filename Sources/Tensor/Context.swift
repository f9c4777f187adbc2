/// What a computation runs on: the workers that share it and the memory its activations come from.
///
/// A training step, or one short input, has all workers in one context. Inference over many inputs gives each worker a
/// context of its own, with the serial pool, and no barrier inside.
package struct Context {
  package let pool: WorkerPool
  package let arena: Arena

  package init(pool: WorkerPool, arena: Arena = Arena()) {
    self.pool = pool
    self.arena = arena
  }

  package func matrix(_ rows: Int, _ columns: Int) -> Matrix { arena.matrix(rows: rows, columns: columns) }

  /// Gives back what `body` takes from the arena, where it is not to be kept.
  package func temporary<Result>(_ body: () throws -> Result) rethrows -> Result {
    let mark = arena.mark
    defer { arena.release(to: mark) }
    return try body()
  }
}
