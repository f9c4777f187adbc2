import Glibc

/// A word piece and its probability at a masked position.
public struct TokenScore: Sendable, Equatable {
  /// Its id.
  public var token: Int
  /// Softmax over the whole vocabulary.
  public var probability: Float
}

/// The most likely word pieces of a row of scores.
enum Ranking {
  /// The k best, best first; ties by lower id. With `among`, the best of these ids; the probabilities stay those
  /// over the whole vocabulary (transformers' fill-mask pipeline does the same).
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

  /// One pass over the scores, with the worst of the k best so far at hand; few scores pass it.
  private static func top(
    _ k: Int, among ids: some Collection<Int>, _ logits: UnsafePointer<Float>, _ precedes: (Int, Int) -> Bool
  ) -> [Int] {
    guard k > 0 else { return [] }
    // For a large share of the vocabulary, sorting it all is less work than inserting.
    if k > 256 { return Array(ids.sorted(by: precedes).prefix(k)) }
    var best: [Int] = []
    best.reserveCapacity(k + 1)
    var bar = -Float.infinity
    for index in ids where logits[index] > bar || best.count < k {
      var place = best.count
      while place > 0, precedes(index, best[place - 1]) { place -= 1 }
      best.insert(index, at: place)
      if best.count > k { best.removeLast() }
      if best.count == k { bar = logits[best[k - 1]] }
    }
    return best
  }
}
