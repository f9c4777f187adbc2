import Files
import Glibc

/// A word that is to be scored at a mask: one word piece or several.
struct TargetWord: Sendable, Equatable {
  /// As it was asked for.
  let text: String
  /// At least one.
  let pieces: [Int]
}

/// A target word and its probability at a masked position.
struct WordScore: Sendable, Equatable {
  var word: TargetWord
  var probability: Double
}

extension WordPieceTokenizer {
  /// Words that are to be ranked alone: a word piece as it is spelled in the vocabulary, or text, which may be several pieces.
  ///
  /// - Returns: each once, in the order of the words.
  /// - Throws: where a word has no pieces, or one that the vocabulary does not know.
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

  /// A word piece as it is spelled in the vocabulary, else the pieces of a text.
  private func pieces(ofTarget word: String) -> [Int32] { vocabulary.id(of: word).map { [$0] } ?? encode(word) }
}

extension DistilBertMaskedLM {
  /// Scores words of any number of pieces at each mask of a sample, best first: [mask][rank].
  ///
  /// For a word of n pieces the mask becomes n masks, and the word's probability is the product of its pieces': each is asked for
  /// with those before it in their places and those behind it masked. For one piece that is the probability `rank` gives. The
  /// sample's other masks stay. (A word of more pieces has more chances to be wrong: compare words of one length.)
  ///
  /// - Parameters:
  ///   - sample: with room for the pieces of the longest word, less one, in the model's positions.
  ///   - batchRows: the most tokens computed together by a thread.
  /// - Throws: `PreprocessorError` where the words do not fit into the sample, `ModelUseError.inUse`.
  func score(
    _ words: [TargetWord], in sample: Sample, maskToken: Int32, topK: Int = 5, batchRows: Int? = nil
  ) throws -> [[WordScore]] {
    var questions: [Sample] = []
    for mask in sample.maskPositions.indices {
      for word in words {
        var question = sample.expanding(mask, to: word.pieces.count, maskToken: maskToken)
        for piece in word.pieces {
          // Of the masks that are left the first is asked for.
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
