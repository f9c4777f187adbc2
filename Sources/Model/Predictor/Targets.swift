import Files

extension WordPieceTokenizer {
  /// The ids of words that are to be ranked alone: a word piece as it is spelled in the vocabulary, or text that is one word piece.
  ///
  /// - Returns: each id once, in the order of the words.
  /// - Throws: where a word is not one piece; nothing is ever substituted.
  public func targets(_ words: [String]) throws(TargetError) -> [Int] {
    var ids: [Int] = []
    for word in words {
      let pieces = pieces(ofTarget: word)
      guard pieces.count == 1, pieces[0] != specialTokens.unknown else {
        throw TargetError(word: word, pieces: tokens(pieces))
      }
      if !ids.contains(Int(pieces[0])) { ids.append(Int(pieces[0])) }
    }
    return ids
  }

  /// A word piece as it is spelled in the vocabulary, else the pieces of a text.
  func pieces(ofTarget word: String) -> [Int32] { vocabulary.id(of: word).map { [$0] } ?? encode(word) }
}

/// A target that is not one word piece.
public struct TargetError: ModelError, Equatable {
  /// As it was given.
  public let word: String
  /// What it is made of; empty where it is nothing.
  public let pieces: [String]

  public var message: String {
    pieces.isEmpty
      ? "the target '\(word)' has no word piece"
      : "the target '\(word)' is not one word piece but: \(pieces.joined(separator: " "))"
  }

  public var hint: String? {
    "targets are single word pieces; 'mlm tokenize --format tokens' shows the pieces of a word"
  }
}
