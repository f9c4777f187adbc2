import Testing

@testable import Model

@Suite struct SampleOrderTests {
  @Test func everySampleOnce() {
    for count in Array(0...2000) + [4095, 4096, 4097, 100_003, 1 << 17] {
      var seen = [Bool](repeating: false, count: count)
      for sample in SampleOrder(count: count, seed: 7, epoch: count % 5) { seen[sample] = true }
      #expect(seen.allSatisfy { $0 }, "\(count) samples")
    }
  }

  /// The sizes of large corpora: no two of these positions get the same sample.
  @Test func manySamples() {
    for count in [1 << 32, (1 << 40) - 3, 1 << 40] {
      let order = SampleOrder(count: count, seed: 1, epoch: 0)
      let positions = (0..<20_000).map { $0 % 2 == 0 ? $0 : count - $0 }
      let samples = Set(positions.map { order[$0] })
      #expect(samples.count == positions.count && samples.allSatisfy { (0..<count).contains($0) })
      // They are spread over the corpus: about the same number from each 16th.
      let sixteenths = samples.reduce(into: [Int](repeating: 0, count: 16)) { $0[$1 / ((count + 15) / 16)] += 1 }
      #expect(sixteenths.allSatisfy { abs($0 - 1250) < 5 * 35 })
    }
  }

  @Test func dependsOnSeedAndEpochAlone() {
    let order = Array(SampleOrder(count: 1000, seed: 3, epoch: 2))
    #expect(order == Array(SampleOrder(count: 1000, seed: 3, epoch: 2)))
    for other in [
      SampleOrder(count: 1000, seed: 3, epoch: 3), SampleOrder(count: 1000, seed: 4, epoch: 2),
      SampleOrder(count: 1000, seed: 3 | 1 << 40, epoch: 2),
    ] {
      // About one sample has the same position in both.
      #expect(zip(order, other).count { $0 == $1 } < 12)
    }
    #expect(Array(SampleOrder(count: 5, shuffles: false, seed: 3, epoch: 1)) == [0, 1, 2, 3, 4])
  }

  /// Over many epochs, the position of each sample is uniform, and so are pairs of neighbors.
  @Test func uniform() {
    for count in [2, 3, 10, 37] {
      let epochs = 400 * count
      var landed = [Int](repeating: 0, count: count * count)
      var following = [Int](repeating: 0, count: count * count)
      for epoch in 0..<epochs {
        let order = Array(SampleOrder(count: count, seed: 11, epoch: epoch))
        for (position, sample) in order.enumerated() { landed[sample * count + position] += 1 }
        following[order[0] * count + order[1]] += 1
      }
      // Row and column sums are fixed: (count − 1)² degrees of freedom. The limit is five standard deviations above.
      let freedom = Double((count - 1) * (count - 1))
      let square = landed.reduce(0) { $0 + Double(($1 - 400) * ($1 - 400)) / 400 }
      #expect(square < freedom + 5 * (2 * freedom).squareRoot() + 5, "\(count) samples: \(square)")
      // Pairs of different samples are all equally likely.
      let pairs = Double(count * (count - 1))
      let expected = Double(epochs) / pairs
      var pairSquare = 0.0
      for first in 0..<count {
        for second in 0..<count where first != second {
          let difference = Double(following[first * count + second]) - expected
          pairSquare += difference * difference / expected
        }
      }
      #expect(following.enumerated().allSatisfy { $0 / count != $0 % count || $1 == 0 })
      #expect(pairSquare < pairs - 1 + 5 * (2 * pairs).squareRoot() + 5, "\(count) samples: \(pairSquare)")
    }
  }
}
