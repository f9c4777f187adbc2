import Glibc

/// Memory for activations: taken by moving a mark, given back all at once.
///
/// A step takes what it needs and releases to the mark it began at. When a block is full another is added; as soon as
/// everything is given back they are joined into one, so that after the first step of the largest size nothing is allocated
/// any more (`blocksAllocated` stands still, and a test watches it).
package final class Arena: @unchecked Sendable {
  package struct Mark {
    fileprivate let block: Int
    fileprivate let used: Int
  }

  private var blocks: [ZeroedMemory] = []
  private var current = 0
  private var used = 0
  /// How often memory was asked of the system.
  private(set) var blocksAllocated = 0

  package static let alignment = 64
  private static let smallestBlock = 1 << 20

  init() {}

  /// A matrix whose elements are not set.
  package func matrix(rows: Int, columns: Int) -> Matrix {
    Matrix(floats(rows * columns), rows: rows, columns: columns)
  }

  /// Memory for `count` numbers, not set.
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

  /// The bytes of all blocks.
  package var capacity: Int { blocks.reduce(0) { $0 + $1.bytes } }

  package func release(to mark: Mark) {
    // Without the joining, batches of growing size would each add blocks of their own and pass over the old ones.
    if mark.block == 0, mark.used == 0 { return reset() }
    current = mark.block
    used = mark.used
  }

  /// Gives everything back; several blocks become one of their joint size.
  package func reset() {
    if blocks.count > 1 {
      let total = capacity
      blocks.removeAll(keepingCapacity: true)
      // With room to spare: each time that a batch is a little larger than all before, the memory would be cleared anew (that was a
      // tenth of the time of a training run on lines). What is not touched costs nothing.
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
