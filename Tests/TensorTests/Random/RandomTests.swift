import Testing

@testable import Tensor

@Suite struct RandomTests {
  /// The known answers of Random123 1.14 (`tests/kat_vectors`, philox4x32 with ten rounds): counter, key, result.
  static let knownAnswers: [([UInt32], UInt64, [UInt32])] = [
    ([0, 0, 0, 0], 0, [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
    (
      [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], 0xffff_ffff_ffff_ffff,
      [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
    ),
    (
      [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], 0x299f_31d0_a409_3822,
      [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
    ),
  ]

  @Test(arguments: knownAnswers)
  func philox(_ counter: [UInt32], _ key: UInt64, _ expected: [UInt32]) {
    let block = Philox.block(key: key, counter: SIMD4(counter[0], counter[1], counter[2], counter[3]))
    #expect((0..<4).map { block[$0] } == expected)
  }

  @Test func streamsOfDifferentUsesDiffer() {
    func first(_ seed: UInt64, _ purpose: RandomPurpose, _ epoch: Int, _ sample: Int) -> [UInt32] {
      var random = RandomStream(seed: seed, purpose: purpose, epoch: epoch, sample: sample)
      return (0..<9).map { _ in random.next32() }
    }
    let streams = [
      first(0, .shuffle, 0, 0), first(1, .shuffle, 0, 0), first(1 << 32, .shuffle, 0, 0),
      first(0, .maskSelection, 0, 0),
      first(0, .shuffle, 1, 0), first(0, .shuffle, 0, 1),
    ]
    #expect(Set(streams).count == streams.count)
    #expect(Set(streams.flatMap { $0 }).count == 9 * streams.count)
    #expect(first(0, .shuffle, 0, 0) == streams[0])
  }

  @Test func uniformIsUniform() {
    var random = RandomStream(seed: 5, purpose: .shuffle)
    var (sum, squares) = (0.0, 0.0)
    var bins = [Int](repeating: 0, count: 64)
    let count = 1 << 18
    for _ in 0..<count {
      let value = random.uniform()
      #expect(value >= 0 && value < 1)
      sum += Double(value)
      squares += Double(value) * Double(value)
      bins[Int(value * 64)] += 1
    }
    #expect(abs(sum / Double(count) - 0.5) < 0.003)
    #expect(abs(squares / Double(count) - 1.0 / 3) < 0.003)
    #expect(chiSquare(bins) < 63 + 5 * (2 * 63.0).squareRoot())
  }

  @Test(arguments: [1, 2, 3, 7, 10, 97])
  func belowIsUniform(_ bound: Int) {
    var random = RandomStream(seed: 6, purpose: .shuffle, sample: bound)
    var bins = [Int](repeating: 0, count: bound)
    for _ in 0..<(2_000 * bound) { bins[random.below(bound)] += 1 }
    let freedom = Double(bound - 1)
    #expect(chiSquare(bins) <= freedom + 5 * (2 * freedom).squareRoot())
  }

  /// Three quarters of 2³²: without rejection, every third number would occur twice as often.
  @Test func belowHasNoBiasForLargeBounds() {
    var random = RandomStream(seed: 7, purpose: .shuffle)
    let bound = 3 << 30
    var bins = [0, 0, 0]
    for _ in 0..<60_000 {
      let value = random.below(bound)
      #expect(value >= 0 && value < bound)
      bins[value % 3] += 1
    }
    #expect(chiSquare(bins) < 2 + 5 * 2)
    for bound in [1 << 32, (1 << 32) + 1, 1 << 40, Int.max] {
      for _ in 0..<100 { #expect((0..<bound).contains(random.below(bound))) }
    }
  }

  private func chiSquare(_ bins: [Int]) -> Double {
    let expected = Double(bins.reduce(0, +)) / Double(bins.count)
    return bins.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
  }
}
