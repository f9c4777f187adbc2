import Glibc

/// One way to fill all masks of a sample.
struct Filling: Sendable, Equatable {
  /// A word piece for each mask, in the order of the masks.
  var tokens: [Int]
  /// Of the whole filling: the product of each piece's probability given the text and the pieces put in before it.
  var probability: Double
}

extension DistilBertMaskedLM {
  /// Fills all masks of a sample together, by beam search: what is put into one mask is seen by the others.
  ///
  /// A filling grows by one mask at a time, the one that its best piece is surest of, with the masks that are left in place; of
  /// all that have grown the `beamWidth` most probable go on. A masked model has no probability of a whole text; this product is
  /// one by the chain rule, in the order in which the masks were filled.
  ///
  /// - Parameters:
  ///   - topK: the most fillings that are returned, best first.
  ///   - beamWidth: fillings that are followed at once; nil: twice `topK`, 16 at least.
  ///   - targets: fill in these ids alone; nil: any.
  ///   - batchRows: the most tokens computed together by a thread.
  /// - Throws: `PreprocessorError` for a sample that does not fit the model, `ModelUseError.inUse`.
  func fillJointly(
    _ sample: Sample, topK: Int = 5, beamWidth: Int? = nil, targets: [Int]? = nil, batchRows: Int? = nil
  ) throws -> [Filling] {
    let width = max(beamWidth ?? max(2 * topK, 16), topK, 1)
    var beam = [Hypothesis(sample: sample, tokens: Array(repeating: nil, count: sample.maskPositions.count))]
    for _ in sample.maskPositions {
      let ranked = try rank(beam.map(\.sample), topK: width, targets: targets, batchRows: batchRows)
      var grown: [[Int?]: Hypothesis] = [:]
      for (hypothesis, masks) in zip(beam, ranked) {
        for next in hypothesis.grown(by: masks) {
          // Two orders may lead to one filling. (Scores that are no numbers are kept, so that the caller sees them.)
          if let known = grown[next.tokens], !(known.logProbability < next.logProbability) { continue }
          grown[next.tokens] = next
        }
      }
      beam = Array(grown.values.sorted { $0.isBefore($1) }.prefix(width))
    }
    return beam.prefix(topK).map { Filling(tokens: $0.tokens.compactMap { $0 }, probability: exp($0.logProbability)) }
  }
}

/// A filling on its way: the sample as it is filled so far.
private struct Hypothesis {
  /// Its mask positions are those that are left.
  var sample: Sample
  /// For each mask of the whole sample what was put into it.
  var tokens: [Int?]
  var logProbability = 0.0

  /// All that come of filling the mask that the model is surest of.
  ///
  /// - Parameter masks: the candidates of each mask that is left, best first.
  func grown(by masks: [[TokenScore]]) -> [Hypothesis] {
    func surest(_ index: Int) -> Float { masks[index].first?.probability ?? 0 }
    guard let chosen = masks.indices.max(by: { (surest($0), $1) < (surest($1), $0) }) else { return [] }
    // The place, among all masks, of the one that is chosen among those left.
    let place = tokens.indices.filter { tokens[$0] == nil }[chosen]
    return masks[chosen].map { candidate in
      var next = self
      next.sample = sample.filling(chosen, with: Int32(truncatingIfNeeded: candidate.token))
      next.tokens[place] = candidate.token
      next.logProbability += log(Double(candidate.probability))
      return next
    }
  }

  /// More probable; of equals the one of the lower ids.
  func isBefore(_ other: Hypothesis) -> Bool {
    if logProbability != other.logProbability { return logProbability > other.logProbability }
    return tokens.lazy.map { $0 ?? -1 }.lexicographicallyPrecedes(other.tokens.lazy.map { $0 ?? -1 })
  }
}

extension Sample {
  /// The sample with a token in the place of one of its masks, which is asked for no more.
  ///
  /// - Parameter mask: an index into `maskPositions`.
  func filling(_ mask: Int, with token: Int32) -> Sample {
    var sample = self
    sample.tokenIDs[Int(maskPositions[mask])] = token
    sample.maskPositions.remove(at: mask)
    sample.weights = [Float](repeating: 1, count: sample.maskPositions.count)
    sample.slots = sample.maskPositions.count
    return sample
  }

  /// The sample with so many masks in the place of one; the answers to all of them are asked for, and to no other mask.
  func expanding(_ mask: Int, to count: Int, maskToken: Int32) -> Sample {
    let place = Int(maskPositions[mask])
    var tokens = tokenIDs
    tokens.replaceSubrange(place...place, with: repeatElement(maskToken, count: count))
    return Sample(tokenIDs: tokens, maskPositions: (0..<count).map { Int32(place + $0) })
  }
}
