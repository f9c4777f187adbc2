import Glibc
import Testing

@testable import Model
@testable import Tensor

@Suite struct RankingTests {
  private func scores(_ count: Int, distinct: Int) -> [Float] {
    var random = RandomStream(seed: 1, purpose: .shuffle, sample: count)
    return (0..<count).map { _ in Float(random.below(distinct)) * (10 / Float(distinct)) }
  }

  /// Many ties; a few, more than 256, all, and more than all scores.
  @Test(arguments: [(1, 1), (9, 3), (1000, 7), (1000, 100_000)], [0, 1, 5, 256, 257, 999, 1000, 5000])
  func bestAreTheFirstOfAllSorted(_ size: (count: Int, distinct: Int), _ k: Int) {
    let logits = scores(size.count, distinct: size.distinct)
    let order = logits.indices.sorted { logits[$0] != logits[$1] ? logits[$0] > logits[$1] : $0 < $1 }
    let best = Ranking.best(k, of: logits, logits.count)
    #expect(best.map(\.token) == Array(order.prefix(k)))
    let total = logits.reduce(0) { $0 + Glibc.exp(Double($1)) }
    for score in best {
      let expected = Glibc.exp(Double(logits[score.token])) / total
      #expect(abs(Double(score.probability) - expected) < 2e-6 * expected)
    }
  }

  @Test func targetsKeepTheProbabilitiesOfTheWholeVocabulary() {
    let logits: [Float] = [1, 4, 2, 4, 0, 3, 2, 1, 1, 1]
    let all = Ranking.best(10, of: logits, 10)
    let some = Ranking.best(3, of: logits, 10, among: [6, 3, 2, 1, 4])
    #expect(some.map(\.token) == [1, 3, 2])
    for score in some { #expect(all.contains(score)) }
    #expect(Ranking.best(9, of: logits, 10, among: [4, 0]).map(\.token) == [0, 4])
    #expect(Ranking.best(9, of: logits, 10, among: []).isEmpty)
  }

  @Test func infinitelyBadScores() {
    let logits = [Float](repeating: -.infinity, count: 4) + [0]
    #expect(Ranking.best(3, of: logits, 5).map(\.token) == [4, 0, 1])
  }
}
