import Glibc

/// A word piece and its probability at a masked position.
public struct TokenScore: Sendable, Equatable {
  /// The id of the word piece.
  public var token: Int
  /// The softmax over the whole vocabulary.
  public var probability: Float
}

/// Finds the most likely word pieces of a row of scores.
enum Ranking {
  /// Returns the k best, best first, ties by lower id. With `among`, ranks only these ids; probabilities are still
  /// those over the whole vocabulary, as in transformers' fill-mask pipeline.
  static func best(_ k: Int, of logits: UnsafePointer<Float>, _ n: Int, among ids: [Int]? = nil) -> [TokenScore] {
    let logSum = Softmax.logSumExp(logits, n)
    func precedes(_ a: Int, _ b: Int) -> Bool {
      logits[a] != logits[b] ? logits[a] > logits[b] : a < b
    }
    let ranked =
      if let ids { top(min(k, ids.count), among: ids, logits, precedes) } else {
        top(min(k, n), among: 0..<n, logits, precedes)
      }
    return ranked.map { TokenScore(token: $0, probability: Float(exp(Double(logits[$0]) - logSum))) }
  }

  /// Makes one pass over the scores, comparing with the worst of the k best so far; few scores pass it.
  private static func top(
    _ k: Int, among ids: some Collection<Int>, _ logits: UnsafePointer<Float>, _ precedes: (Int, Int) -> Bool
  ) -> [Int] {
    guard k > 0 else { return [] }
    // For a large share of the vocabulary, sorting all scores is less work than inserting.
    if k > 256 { return Array(ids.sorted(by: precedes).prefix(k)) }
    var best: [Int] = []
    best.reserveCapacity(k + 1)
    var bar = -Float.infinity
    for index in ids where logits[index] > bar || best.count < k {
      var rank = best.count
      while rank > 0, precedes(index, best[rank - 1]) { rank -= 1 }
      best.insert(index, at: rank)
      if best.count > k { best.removeLast() }
      if best.count == k { bar = logits[best[k - 1]] }
    }
    return best
  }
}
