import Files
import Glibc

/// A word to score at a mask, of one or more word pieces.
struct TargetWord: Sendable, Equatable {
  /// The word as the user wrote it.
  let text: String
  /// The ids of its word pieces; at least one.
  let pieces: [Int]
}

/// A target word and its probability at a masked position.
struct WordScore: Sendable, Equatable {
  var word: TargetWord
  var probability: Double
}

extension WordPieceTokenizer {
  /// Turns words into targets. A word is a piece as spelled in the vocabulary, or text of one or more pieces.
  ///
  /// - Returns: the targets in the order of the words, without duplicates.
  /// - Throws: if a word has no pieces, or a piece that is not in the vocabulary.
  func targetWords(_ words: [String]) throws(ModelUseError) -> [TargetWord] {
    var targets: [TargetWord] = []
    for word in words {
      let ids = pieces(ofTarget: word)
      guard !ids.isEmpty, !ids.contains(specialTokens.unknown) else {
        throw .unknownTarget(word: word, pieces: tokens(ids))
      }
      let target = TargetWord(text: word, pieces: ids.map { Int($0) })
      if !targets.contains(where: { $0.pieces == target.pieces }) { targets.append(target) }
    }
    return targets
  }

  /// Returns the word piece with this spelling, or else the pieces of the text.
  private func pieces(ofTarget word: String) -> [Int32] { vocabulary.id(of: word).map { [$0] } ?? encode(word) }
}

extension DistilBertMaskedLM {
  /// Scores words of any number of pieces at each mask of a sample, best first: [mask][rank].
  ///
  /// For a word of n pieces, the mask becomes n masks, and the word's probability is the product of its pieces'
  /// probabilities: each piece is scored with the previous pieces filled in and the following ones masked. For one
  /// piece, this is the probability of `rank`. The sample's other masks stay. (A longer word has more chances to be
  /// wrong: compare words with the same number of pieces.)
  ///
  /// - Parameters:
  ///   - sample: the sample, which leaves room in the model's positions for the pieces of the longest word, less one.
  ///   - batchRows: the most tokens that a thread computes together.
  /// - Throws: `PreprocessorError` if the words do not fit into the sample; `ModelUseError.inUse`.
  func score(
    _ words: [TargetWord], in sample: Sample, maskToken: Int32, topK: Int = 5, batchRows: Int? = nil
  ) throws -> [[WordScore]] {
    var questions: [Sample] = []
    for mask in sample.maskPositions.indices {
      for word in words {
        var question = sample.expanding(mask, to: word.pieces.count, maskToken: maskToken)
        for piece in word.pieces {
          // Only the first remaining mask is scored.
          questions.append(Sample(tokenIDs: question.tokenIDs, maskPositions: [question.maskPositions[0]]))
          question = question.filling(0, with: Int32(truncatingIfNeeded: piece))
        }
      }
    }
    let pieces = Set(words.flatMap(\.pieces)).sorted()
    var answers = try rank(questions, topK: pieces.count, targets: pieces, batchRows: batchRows).makeIterator()
    return sample.maskPositions.map { _ in
      let scores = words.map { word in
        var logProbability = 0.0
        for piece in word.pieces {
          let found = answers.next()?.first?.first { $0.token == piece }
          logProbability += log(Double(found?.probability ?? 0))
        }
        return WordScore(word: word, probability: exp(logProbability))
      }
      return Array(
        scores.enumerated().sorted { ($1.element.probability, $0.offset) < ($0.element.probability, $1.offset) }
          .map(\.element).prefix(topK))
    }
  }
}
