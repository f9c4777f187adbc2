/// Joins word pieces into text: a blank before each piece except the first and those that begin with `##`.
///
/// Sources: the tokenizers library's `WordPiece` decoder, and `clean_up_tokenization` of transformers.
struct WordPieceDecoder {
  /// Whether to drop the blank before a piece such as `.` or `n't` (the decoder's `cleanup`).
  let cleansUpTokens: Bool

  /// Returns the text of pieces.
  func text(_ pieces: some Sequence<UnsafeBufferPointer<UInt8>>) -> [UInt8] {
    var text: [UInt8] = []
    var token: [UInt8] = []
    var isFirst = true
    for piece in pieces where !piece.isEmpty {
      token.removeAll(keepingCapacity: true)
      if isFirst {
        token.append(contentsOf: piece)
      } else if piece.count >= 2, piece[0] == 0x23, piece[1] == 0x23 {
        token.append(contentsOf: piece[2...])
      } else {
        token.append(0x20)
        token.append(contentsOf: piece)
      }
      isFirst = false
      if cleansUpTokens { cleanUp(&token, Self.tokenRules) }
      text.append(contentsOf: token)
    }
    return text
  }

  /// Cleans up a whole text, including patterns that span several pieces (`don ' t`).
  func cleanedUp(_ text: [UInt8]) -> [UInt8] {
    var text = text
    cleanUp(&text, Self.textRules)
    return text
  }

  private static let textRules = rules([
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" 's", "'s"),
    (" 've", "'ve"), (" 're", "'re"),
  ])
  private static let tokenRules = rules([
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
    (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
  ])

  private static func rules(_ pairs: [(String, String)]) -> [(from: [UInt8], to: [UInt8])] {
    pairs.map { (Array($0.0.utf8), Array($0.1.utf8)) }
  }

  /// Applies the rules to the text one after the other, each from left to right.
  private func cleanUp(_ text: inout [UInt8], _ rules: [(from: [UInt8], to: [UInt8])]) {
    for rule in rules where text.count >= rule.from.count {
      var index = 0
      var result: [UInt8]?
      while index < text.count {
        if text[index] == rule.from[0], text[index...].starts(with: rule.from) {
          if result == nil { result = Array(text[..<index]) }
          result?.append(contentsOf: rule.to)
          index += rule.from.count
        } else {
          result?.append(text[index])
          index += 1
        }
      }
      if let result { text = result }
    }
  }
}
