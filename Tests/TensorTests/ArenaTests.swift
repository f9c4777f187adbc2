import Testing

@testable import Tensor

@Suite struct ArenaTests {
  @Test func whatIsTakenIsAlignedAndApart() {
    let arena = Arena()
    var taken: [(start: UInt, end: UInt)] = []
    withExtendedLifetime(arena) {
      for count in [1, 0, 15, 16, 17, 100_000, 1, 300_000, 7] {
        let floats = arena.floats(count)
        for index in 0..<count { floats[index] = 1 }
        taken.append((UInt(bitPattern: floats), UInt(bitPattern: floats + count)))
      }
    }
    for (index, range) in taken.enumerated() {
      #expect(range.start % UInt(Arena.alignment) == 0)
      for other in taken[..<index] { #expect(range.start >= other.end || range.end <= other.start) }
    }
  }

  @Test func releaseGivesTheSamePlacesAgain() {
    let arena = Arena()
    _ = arena.floats(100)
    let mark = arena.mark
    let first = arena.floats(50)
    arena.release(to: mark)
    #expect(arena.floats(50) == first)
  }

  @Test func afterTheFirstTimeNothingIsAllocated() {
    let arena = Arena()
    func step() { for count in [1000, 400_000, 30, 700_000, 250_000] { _ = arena.floats(count) } }
    step()
    #expect(arena.blocksAllocated > 1)
    arena.reset()
    let blocks = arena.blocksAllocated
    for _ in 0..<5 {
      step()
      arena.reset()
    }
    #expect(arena.blocksAllocated == blocks)
  }

  /// Tasks of growing size, like batches of inference: the memory stays that of the largest.
  @Test func memoryDoesNotPileUp() {
    let context = Context(pool: .serial)
    for size in stride(from: 300_000, through: 500_000, by: 10_000) {
      context.temporary { for _ in 0..<4 { _ = context.arena.floats(size) } }
    }
    #expect(context.arena.capacity < 3 * 4 * 4 * 500_000)
    let blocks = context.arena.blocksAllocated
    for size in stride(from: 300_000, through: 500_000, by: 10_000) {
      context.temporary { for _ in 0..<4 { _ = context.arena.floats(size) } }
    }
    #expect(context.arena.blocksAllocated == blocks)
  }
}
