@testable import Model

/// Tokenizers with vocabularies small enough to read.
enum SmallTokenizer {
  /// Returns a tokenizer with the words the, quick, brown, fox, jumped, and letters, digits and punctuation, so that
  /// any ASCII word has pieces.
  static func english() throws -> WordPieceTokenizer {
    var pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "quick", "brown", "fox", "jumped", "##ed"]
    for letter in "abcdefghijklmnopqrstuvwxyz0123456789" { pieces += [String(letter), "##\(letter)"] }
    pieces += [".", ",", "'", "-", "[", "]", "!", "?"]
    return try WordPieceTokenizer(vocabulary: Vocabulary(pieces: pieces))
  }

  /// Returns a cased tokenizer with the vocabulary `unit` of the reference's packing cases.
  static func unit() throws -> WordPieceTokenizer {
    let pieces = [
      "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "THE", "QUICK", "BROWN", "FOX", "the", "quick", "brown", "fox",
    ]
    return try WordPieceTokenizer(
      vocabulary: Vocabulary(pieces: pieces), options: WordPieceTokenizer.Options(lowercase: false))
  }
}

extension Sample {
  /// The tokens before masking, without the special tokens at both ends.
  var text: [Int32] {
    var tokens = tokenIDs
    for (position, label) in zip(maskPositions, labels) { tokens[Int(position)] = label }
    return Array(tokens.dropFirst().dropLast())
  }
}
