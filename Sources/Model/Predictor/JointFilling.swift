import Glibc

/// One way to fill all masks of a sample.
struct Filling: Sendable, Equatable {
  /// One word piece per mask, in the order of the masks.
  var tokens: [Int]
  /// The probability of the whole filling: the product of each piece's probability, given the text and the pieces
  /// filled in before it.
  var probability: Double
}

extension DistilBertMaskedLM {
  /// Fills all masks of a sample together, by beam search, so that each mask sees the pieces of the others.
  ///
  /// Each step fills one mask of every filling: the one with the most probable best piece, while the other masks stay.
  /// The `beamWidth` most probable fillings are kept. A masked model defines no probability of a whole text; this
  /// product is one by the chain rule, in the order in which the masks were filled.
  ///
  /// - Parameters:
  ///   - topK: the most fillings to return, best first.
  ///   - beamWidth: the number of fillings to keep in each step; nil: twice `topK`, at least 16.
  ///   - targets: the ids to choose from; nil: all.
  ///   - batchRows: the most tokens that a thread computes together.
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
          // Two orders may lead to one filling. (NaN scores are kept, so that the caller sees them.)
          if let known = grown[next.tokens], !(known.logProbability < next.logProbability) { continue }
          grown[next.tokens] = next
        }
      }
      beam = Array(grown.values.sorted { $0.isBefore($1) }.prefix(width))
    }
    return beam.prefix(topK).map { Filling(tokens: $0.tokens.compactMap { $0 }, probability: exp($0.logProbability)) }
  }
}

/// A partial filling, with the sample as filled so far.
private struct Hypothesis {
  /// The sample; its mask positions are those of the remaining masks.
  var sample: Sample
  /// The piece of each mask of the original sample; nil for remaining masks.
  var tokens: [Int?]
  var logProbability = 0.0

  /// Returns the fillings that result from filling the mask with the most probable best piece.
  ///
  /// - Parameter masks: the candidates of each remaining mask, best first.
  func grown(by masks: [[TokenScore]]) -> [Hypothesis] {
    func surest(_ index: Int) -> Float { masks[index].first?.probability ?? 0 }
    guard let chosen = masks.indices.max(by: { (surest($0), $1) < (surest($1), $0) }) else { return [] }
    // The index of the chosen mask among all masks.
    let mask = tokens.indices.filter { tokens[$0] == nil }[chosen]
    return masks[chosen].map { candidate in
      var next = self
      next.sample = sample.filling(chosen, with: Int32(truncatingIfNeeded: candidate.token))
      next.tokens[mask] = candidate.token
      next.logProbability += log(Double(candidate.probability))
      return next
    }
  }

  /// Returns whether this filling is more probable; ties go to the lower ids.
  func isBefore(_ other: Hypothesis) -> Bool {
    if logProbability != other.logProbability { return logProbability > other.logProbability }
    return tokens.lazy.map { $0 ?? -1 }.lexicographicallyPrecedes(other.tokens.lazy.map { $0 ?? -1 })
  }
}

extension Sample {
  /// Returns the sample with a token instead of one of its masks, whose position is then no longer a mask position.
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

  /// Returns the sample with `count` masks instead of one. Their positions become the only mask positions.
  func expanding(_ mask: Int, to count: Int, maskToken: Int32) -> Sample {
    let position = Int(maskPositions[mask])
    var tokens = tokenIDs
    tokens.replaceSubrange(position...position, with: repeatElement(maskToken, count: count))
    return Sample(tokenIDs: tokens, maskPositions: (0..<count).map { Int32(position + $0) })
  }
}
