import Glibc

/// Memory for activations, allocated by moving a mark and released all at once.
///
/// A step allocates what it needs and releases to the mark at which it began. When a block is full, another one is
/// added. When everything is released, the blocks are joined into one, so that nothing is allocated after the first
/// step of the largest size (`blocksAllocated` stays constant, which a test checks).
package final class Arena: @unchecked Sendable {
  package struct Mark {
    fileprivate let block: Int
    fileprivate let used: Int
  }

  private var blocks: [ZeroedMemory] = []
  private var current = 0
  private var used = 0
  /// The number of allocations from the system.
  private(set) var blocksAllocated = 0

  package static let alignment = 64
  private static let smallestBlock = 1 << 20

  init() {}

  /// An uninitialized matrix.
  package func matrix(rows: Int, columns: Int) -> Matrix {
    Matrix(floats(rows * columns), rows: rows, columns: columns)
  }

  /// Uninitialized memory for `count` numbers.
  package func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = max(Self.alignment, (count * 4 + Self.alignment - 1) & ~(Self.alignment - 1))
    while current < blocks.count, used + bytes > blocks[current].bytes {
      current += 1
      used = 0
    }
    if current == blocks.count { addBlock(max(bytes, Self.smallestBlock)) }
    let start = blocks[current].start + used
    used += bytes
    return start.bindMemory(to: Float.self, capacity: count)
  }

  package var mark: Mark { Mark(block: current, used: used) }

  /// The size of all blocks, in bytes.
  package var capacity: Int { blocks.reduce(0) { $0 + $1.bytes } }

  package func release(to mark: Mark) {
    // Join blocks here: otherwise batches of growing size would each add blocks and skip the old ones.
    if mark.block == 0, mark.used == 0 { return reset() }
    current = mark.block
    used = mark.used
  }

  /// Releases everything, and joins several blocks into one.
  package func reset() {
    if blocks.count > 1 {
      let total = capacity
      blocks.removeAll(keepingCapacity: true)
      // With spare room: otherwise the memory is cleared again whenever a batch is slightly larger than all before (a
      // tenth of the time of a training run on lines). Untouched memory costs nothing.
      addBlock(total + total / 2)
    }
    current = 0
    used = 0
  }

  private func addBlock(_ bytes: Int) {
    blocks.append(ZeroedMemory(bytes: bytes))
    blocksAllocated += 1
    used = 0
  }
}
