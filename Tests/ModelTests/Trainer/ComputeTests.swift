import Testing

@testable import Model

@Suite struct ComputeTests {
  private struct Broken: Error, Equatable { let index: Int }

  @Test(arguments: [1, 2, 3])
  func mapKeepsTheOrder(_ threads: Int) throws {
    let compute = Compute(threads: threads)
    #expect(try compute.map(1000) { "\($0)" } == (0..<1000).map { "\($0)" })
    #expect(try compute.map(0) { $0 }.isEmpty)
    let error = #expect(throws: Broken.self) {
      try compute.map(100) { if $0 == 20 || $0 == 90 { throw Broken(index: $0) } else { $0 } }
    }
    #expect(error == Broken(index: 20))
  }

  @Test(arguments: [1, 2, 3], [0, 1, 50])
  func everyBatchOnce(_ threads: Int, _ count: Int) throws {
    let compute = Compute(threads: threads)
    let batches = (0..<count).map { Batch([Sample(tokenIDs: [Int32($0)])]) }
    let found = UnsafeMutablePointer<Int32>.allocate(capacity: max(1, count))
    found.initialize(repeating: 0, count: count)
    defer { found.deallocate() }
    try compute.forEach(batches) { index, batch, context in
      found[index] += batch.tokenIDs[0] + 1
      if count > 1 { #expect(context.pool.threads == 1) } else { #expect(context.pool.threads == threads) }
    }
    #expect((0..<count).allSatisfy { found[$0] == Int32($0) + 1 })
  }
}
