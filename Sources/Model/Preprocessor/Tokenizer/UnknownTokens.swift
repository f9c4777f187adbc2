/// The number of [UNK] tokens in a text, their most common cause, and an example.
///
/// All tokens are counted, but causes are examined for only a few of the words, so that the cost is negligible.
package struct UnknownTokens: Sendable, Equatable {
  /// Why a word is [UNK].
  package enum Cause: Sendable, Equatable, CaseIterable {
    /// The word has more characters than allowed.
    case longWord
    /// No piece has one of the characters, or none at its position.
    case character
    /// The word is known in another case: the tokenizer and the vocabulary do not match.
    case letterCase
    /// The text itself contains [UNK].
    case written
  }

  /// The number of counted tokens.
  package private(set) var tokens = 0
  /// The number of counted tokens that are [UNK].
  package private(set) var unknown = 0
  /// Whether only a part of the text was counted, because it is large.
  public internal(set) var isSample = false
  /// The examined words, by cause.
  private var findings: [Finding] = []

  private struct Finding: Sendable, Equatable {
    let cause: Cause
    var words = 1
    /// The first of them, and its unknown character.
    let word: String
    var character: Unicode.Scalar?
  }

  /// The tokenizer's spelling of [UNK], and how it splits words.
  private let name: String
  private let maximumWordLength: Int
  private let lowercases: Bool

  /// The maximum number of words to examine.
  private static let examined = 200
  /// The share above which to warn the user.
  package static let limit = 0.01

  /// Creates empty counts.
  package init(_ tokenizer: WordPieceTokenizer) {
    name = tokenizer.specialTokens.names.unknown
    maximumWordLength = tokenizer.options.maximumWordLength
    lowercases = tokenizer.options.lowercase
  }

  /// The share of tokens that are [UNK].
  package var share: Double { tokens > 0 ? Double(unknown) / Double(tokens) : 0 }

  /// Adds token counts.
  mutating func add(tokens: Int, unknown: Int) {
    self.tokens += tokens
    self.unknown += unknown
  }

  /// Adds the tokens of a text, and examines causes until enough are known.
  package mutating func add(
    _ ids: [Int32], of text: UnsafeBufferPointer<UInt8>, _ tokenizer: WordPieceTokenizer,
    specialTokensInText: WordPieceTokenizer.SpecialTokensInText = .none
  ) {
    let count = Self.count(ids, tokenizer)
    add(tokens: ids.count, unknown: count)
    if count > 0 { examine(text, tokenizer, specialTokensInText: specialTokensInText) }
  }

  /// Returns how many of the ids are [UNK].
  static func count(_ ids: [Int32], _ tokenizer: WordPieceTokenizer) -> Int {
    let unknown = tokenizer.specialTokens.unknown
    return ids.reduce(0) { $0 + ($1 == unknown ? 1 : 0) }
  }

  /// Whether enough words were examined.
  var isExamined: Bool { findings.reduce(0) { $0 + $1.words } >= Self.examined }

  /// Determines why words of a text are [UNK].
  mutating func examine(
    _ text: UnsafeBufferPointer<UInt8>, _ tokenizer: WordPieceTokenizer,
    specialTokensInText: WordPieceTokenizer.SpecialTokensInText = .none
  ) {
    if isExamined { return }
    let encoding = tokenizer.encodeWithOffsets(text, specialTokensInText: specialTokensInText)
    let otherCase = Self.otherCase(tokenizer)
    for (id, range) in zip(encoding.ids, encoding.offsets) where id == tokenizer.specialTokens.unknown {
      if isExamined { return }
      add(finding(UnsafeBufferPointer(rebasing: text[range]), tokenizer, otherCase))
    }
  }

  private mutating func add(_ finding: Finding) {
    if let index = findings.firstIndex(where: { $0.cause == finding.cause }) {
      findings[index].words += 1
    } else {
      findings.append(finding)
    }
  }

  /// Returns a tokenizer with the same vocabulary and the opposite case setting.
  private static func otherCase(_ tokenizer: WordPieceTokenizer) -> WordPieceTokenizer? {
    var options = tokenizer.options
    options.lowercase.toggle()
    return try? WordPieceTokenizer(
      vocabulary: tokenizer.vocabulary, options: options, names: tokenizer.specialTokens.names)
  }

  private func finding(
    _ bytes: UnsafeBufferPointer<UInt8>, _ tokenizer: WordPieceTokenizer, _ otherCase: WordPieceTokenizer?
  ) -> Finding {
    let word = String(decoding: bytes, as: UTF8.self)
    if word == name { return Finding(cause: .written, word: word) }
    // The word may be shorter without the marks that the tokenizer drops.
    let length = word.unicodeScalars.count { $0.properties.generalCategory != .nonspacingMark }
    if length > maximumWordLength {
      return Finding(cause: .longWord, word: String(String.UnicodeScalarView(word.unicodeScalars.prefix(20))) + "…")
    }
    let unknown = tokenizer.specialTokens.unknown
    if let otherCase, !otherCase.encode(word).contains(unknown) { return Finding(cause: .letterCase, word: word) }
    let character = word.unicodeScalars.first { tokenizer.encode(String($0)).contains(unknown) }
    return Finding(cause: .character, word: word, character: character)
  }

  /// A warning if more than 1 % of the tokens are [UNK]: one line, without a full stop.
  package var warning: String? {
    guard share > Self.limit else { return nil }
    let thousandths = Int((share * 1000).rounded())
    let count =
      "\(unknown) of \(tokens)\(isSample ? " sampled" : "") tokens "
      + "(\(thousandths / 10).\(thousandths % 10) %) are \(name)"
    // If causes are equally common, the first one found is reported.
    guard let found = findings.max(by: { $0.words < $1.words }) else { return count }
    return "\(count), mostly \(reason(found))"
  }

  private func reason(_ finding: Finding) -> String {
    switch finding.cause {
    case .longWord: return "words of more than \(maximumWordLength) characters, such as '\(finding.word)'"
    case .letterCase:
      return lowercases
        ? "words that are in the vocabulary only with capital letters, which lowercasing removes, such as "
          + "'\(finding.word)'"
        : "words that are in the vocabulary only in lower case, such as '\(finding.word)'"
    case .character:
      let character = finding.character.map { "'\($0)' in " } ?? ""
      return "words with characters outside the vocabulary, such as \(character)'\(finding.word)'"
    case .written: return "\(name) in the text itself"
    }
  }
}
