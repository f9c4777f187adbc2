import Testing

@testable import Model

struct WordCachePoolTests {
  @Test func blocksComeBack() throws {
    let pool = WordCachePool(blockBytes: 10_000)
    defer { pool.deallocate() }
    let first = try #require(pool.borrow())
    let second = try #require(pool.borrow())
    #expect(first != second)
    #expect((0..<10_000).allSatisfy { first.load(fromByteOffset: $0, as: UInt8.self) == 0 })
    first.storeBytes(of: 7, as: UInt8.self)
    pool.giveBack(first)
    // Returned blocks are lent again unchanged; no block is created while one is available.
    let again = try #require(pool.borrow())
    #expect(again == first && again.load(as: UInt8.self) == 7)
    pool.giveBack(second)
    pool.giveBack(again)
    let blocks = (0..<3).compactMap { _ in pool.borrow() }
    #expect(blocks.count == 3 && Set(blocks[..<2]) == [first, second] && ![first, second].contains(blocks[2]))
    for block in blocks { pool.giveBack(block) }
  }

  /// No more blocks are kept than there are slots.
  @Test func manyBlocks() {
    let pool = WordCachePool(blockBytes: 4096)
    defer { pool.deallocate() }
    let blocks = (0..<WordCachePool.slotCount + 3).compactMap { _ in pool.borrow() }
    #expect(Set(blocks).count == WordCachePool.slotCount + 3)
    for block in blocks { pool.giveBack(block) }
  }
}
