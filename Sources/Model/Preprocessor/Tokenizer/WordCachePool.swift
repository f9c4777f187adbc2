import Glibc
import Synchronization

/// Lends the memory that words are cut in, word caches included, to threads: while a text is cut nobody else has it.
///
/// A thread mostly gets what it had last. There is never more of it than threads at work at once, and at most `places` blocks
/// are kept. Borrowing and returning costs an atomic exchange each, on a line of memory that threads seldom share.
struct WordCachePool: @unchecked Sendable {
  private typealias Place = Atomic<UnsafeMutableRawPointer?>

  static let places = 64
  /// Two lines of memory each, so that threads do not disturb each other.
  private static let stride = 128

  private let memory: UnsafeMutableRawPointer
  /// Bytes of a block.
  let blockBytes: Int

  init(blockBytes: Int) {
    self.blockBytes = blockBytes
    memory = .allocate(byteCount: Self.places * Self.stride, alignment: Self.stride)
    for index in 0..<Self.places {
      (memory + index * Self.stride).bindMemory(to: Place.self, capacity: 1).initialize(to: Place(nil))
    }
  }

  /// Gives all memory back. Nothing may be lent.
  func deallocate() {
    for index in 0..<Self.places {
      if let block = place(index).pointee.load(ordering: .relaxed) { munmap(block, blockBytes) }
    }
    memory.deallocate()
  }

  /// `blockBytes` bytes from the start of a page, all zeros or as somebody returned them; nil where there is no memory.
  func borrow() -> UnsafeMutableRawPointer? {
    let home = Self.home
    if let block = place(home).pointee.exchange(nil, ordering: .acquiring) { return block }
    for index in 0..<Self.places where place(index).pointee.load(ordering: .relaxed) != nil {
      if let block = place(index).pointee.exchange(nil, ordering: .acquiring) { return block }
    }
    // Zeroed by the system page by page, when they are touched: a short text pays for what it uses.
    let block = mmap(nil, blockBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    return block == MAP_FAILED ? nil : block
  }

  func giveBack(_ block: UnsafeMutableRawPointer) {
    var index = Self.home
    for _ in 0..<Self.places {
      if place(index).pointee.compareExchange(expected: nil, desired: block, ordering: .releasing).exchanged { return }
      index = (index + 1) % Self.places
    }
    munmap(block, blockBytes)
  }

  private func place(_ index: Int) -> UnsafeMutablePointer<Place> {
    (memory + index * Self.stride).assumingMemoryBound(to: Place.self)
  }

  /// Where a thread looks first.
  private static var home: Int {
    Int(truncatingIfNeeded: (UInt64(pthread_self()) &* 0x9E37_79B9_7F4A_7C15) >> 58)
  }
}
