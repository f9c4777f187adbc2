import Glibc
import Synchronization

/// Lends blocks of memory for splitting words, word caches included. A block belongs to one thread at a time.
///
/// A thread usually gets the block it had last. There are never more blocks than threads at work at once, and at most
/// `slotCount` blocks are kept. Borrowing and returning cost one atomic exchange each, on a cache line that threads
/// seldom share.
struct WordCachePool: @unchecked Sendable {
  private typealias Slot = Atomic<UnsafeMutableRawPointer?>

  static let slotCount = 64
  /// Two cache lines per slot, to avoid false sharing.
  private static let stride = 128

  private let memory: UnsafeMutableRawPointer
  /// The size of a block in bytes.
  let blockBytes: Int

  init(blockBytes: Int) {
    self.blockBytes = blockBytes
    memory = .allocate(byteCount: Self.slotCount * Self.stride, alignment: Self.stride)
    for index in 0..<Self.slotCount {
      (memory + index * Self.stride).bindMemory(to: Slot.self, capacity: 1).initialize(to: Slot(nil))
    }
  }

  /// Frees all memory. No block may be on loan.
  func deallocate() {
    for index in 0..<Self.slotCount {
      if let block = slot(index).pointee.load(ordering: .relaxed) { munmap(block, blockBytes) }
    }
    memory.deallocate()
  }

  /// Returns a page-aligned block of `blockBytes` bytes, zeroed or as it was returned; nil if no memory is available.
  func borrow() -> UnsafeMutableRawPointer? {
    let home = Self.home
    if let block = slot(home).pointee.exchange(nil, ordering: .acquiring) { return block }
    for index in 0..<Self.slotCount where slot(index).pointee.load(ordering: .relaxed) != nil {
      if let block = slot(index).pointee.exchange(nil, ordering: .acquiring) { return block }
    }
    // The system zeroes pages when they are first touched: a short text pays only for the pages it uses.
    let block = mmap(nil, blockBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    return block == MAP_FAILED ? nil : block
  }

  func giveBack(_ block: UnsafeMutableRawPointer) {
    var index = Self.home
    for _ in 0..<Self.slotCount {
      if slot(index).pointee.compareExchange(expected: nil, desired: block, ordering: .releasing).exchanged { return }
      index = (index + 1) % Self.slotCount
    }
    munmap(block, blockBytes)
  }

  private func slot(_ index: Int) -> UnsafeMutablePointer<Slot> {
    (memory + index * Self.stride).assumingMemoryBound(to: Slot.self)
  }

  /// The slot that a thread tries first.
  private static var home: Int {
    Int(truncatingIfNeeded: (UInt64(pthread_self()) &* 0x9E37_79B9_7F4A_7C15) >> 58)
  }
}
