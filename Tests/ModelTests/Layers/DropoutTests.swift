import TestSupport
import Testing

@testable import Model

@Suite struct DropoutTests {
  private func layout(_ lengths: [Int]) -> RowLayout {
    Batch(lengths.map { Sample(tokenIDs: [Int32](repeating: 0, count: $0)) }).tokens
  }

  /// Returns the factors of kept elements and the zeros of dropped ones, for rows of ones.
  private func mask(
    _ rate: Float, site: Int = 1, key: DropoutKey? = DropoutKey(seed: 3, step: 1), lengths: [Int] = [40, 60],
    width: Int = 500,
    threads: Int = 1
  ) -> [Float] {
    Bench.run(threads: threads) { bench in
      let x = bench.zeros(lengths.reduce(0, +), width)
      for row in 0..<x.rows { x[row].update(repeating: 1, count: width) }
      Dropout(rate: rate, site: site).apply(x, layout(lengths), key, bench.context)
      return x.array
    }
  }

  @Test(arguments: [0.01, 0.1, 0.5, 0.9] as [Float])
  func rateAndMean(_ rate: Float) {
    let mask = mask(rate)
    let count = Double(mask.count)
    let dropped = Double(mask.filter { $0 == 0 }.count) / count
    let deviation = (Double(rate) * (1 - Double(rate)) / count).squareRoot()
    #expect(abs(dropped - Double(rate)) < 5 * deviation)
    #expect(abs(Double(mask.reduce(0, +)) / count - 1) < 5 * deviation / (1 - Double(rate)))
    let kept = Set(mask).subtracting([0])
    #expect(kept.count == 1 && abs((kept.first ?? 0) - 1 / (1 - rate)) < 1e-3)
    // Neighboring elements are independent.
    let pairs = zip(mask, mask.dropFirst()).filter { $0 == 0 && $1 == 0 }.count
    #expect(abs(Double(pairs) / count - Double(rate * rate)) < 6 * deviation)
  }

  @Test func theSameKeyDropsTheSame() {
    #expect(mask(0.3) == mask(0.3))
    for threads in [2, 3] { #expect(mask(0.3, threads: threads) == mask(0.3)) }
    for other in [
      mask(0.3, site: 2), mask(0.3, key: DropoutKey(seed: 4, step: 1)), mask(0.3, key: DropoutKey(seed: 3, step: 2)),
    ] {
      let agreement = Double(zip(other, mask(0.3)).filter { ($0 == 0) == ($1 == 0) }.count) / 50_000
      #expect(abs(agreement - (0.3 * 0.3 + 0.7 * 0.7)) < 0.02)
    }
  }

  @Test func nothingIsDroppedWithoutKeyOrRate() {
    #expect(mask(0.3, key: nil).allSatisfy { $0 == 1 })
    #expect(mask(0).allSatisfy { $0 == 1 })
    #expect(!Dropout(rate: 0, site: 1).isActive && Dropout(rate: 0.1, site: 1).isActive)
  }

  /// A row of a sample drops the same elements in any batch, also for widths that are not a multiple of eight.
  @Test(arguments: [1, 5, 8, 13])
  func rowsDependOnSampleAndPlaceAlone(_ width: Int) {
    let key = DropoutKey(seed: 9, step: 4)
    let samples = [3, 1, 6].map { Sample(tokenIDs: [Int32](repeating: 0, count: $0), maskPositions: [0]) }
    Bench.run(threads: 2) { bench in
      let dropout = Dropout(rate: 0.5, site: 7)
      func dropped(_ batch: RowLayout) -> [[Float]] {
        let x = bench.zeros(batch.rowCount, width)
        for row in 0..<x.rows { x[row].update(repeating: 1, count: width) }
        dropout.apply(x, batch, key, bench.context)
        return (0..<x.rows).map { row in (0..<width).map { x[row][$0] } }
      }
      var whole = Batch(), second = Batch(alignment: 12)
      for (index, sample) in samples.enumerated() { whole.append(sample, key: UInt32(index)) }
      for index in [2, 0] { second.append(samples[index], key: UInt32(index)) }
      let (all, some) = (dropped(whole.tokens), dropped(second.tokens))
      for (sample, index) in [(2, 0), (0, 1)] {
        for row in 0..<samples[sample].tokenIDs.count {
          #expect(all[whole.tokens.starts[sample] + row] == some[second.tokens.starts[index] + row])
        }
      }
      if width >= 8 { #expect(Set(all).count > 5) }
    }
  }
}
