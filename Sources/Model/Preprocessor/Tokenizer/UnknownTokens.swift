/// How many tokens of a text are [UNK], the commonest cause, and an example.
///
/// Tokens are counted as they come; the causes are those of a few of the words alone, so that it costs next to nothing.
package struct UnknownTokens: Sendable, Equatable {
  /// Why a word is [UNK].
  package enum Cause: Sendable, Equatable, CaseIterable {
    /// More characters than a word may have.
    case longWord
    /// A character that no piece has, or none at that place.
    case character
    /// Another case would be known: the tokenizer and the vocabulary do not fit each other.
    case letterCase
    /// The text itself says [UNK].
    case written
  }

  /// Tokens that were counted.
  package private(set) var tokens = 0
  /// The counted tokens that are [UNK].
  package private(set) var unknown = 0
  /// Whether only a part of the text was counted, since it is large.
  public internal(set) var isSample = false
  /// The words that were looked at, by cause.
  private var findings: [Finding] = []

  private struct Finding: Sendable, Equatable {
    let cause: Cause
    var words = 1
    /// The first of them, and what of it is not known.
    let word: String
    var character: Unicode.Scalar?
  }

  /// How the tokenizer calls them, and cuts words.
  private let name: String
  private let maximumWordLength: Int
  private let lowercases: Bool

  /// Words that are looked at, at most.
  private static let examined = 200
  /// The share above which a person should know.
  package static let limit = 0.01

  /// Nothing counted yet.
  package init(_ tokenizer: WordPieceTokenizer) {
    name = tokenizer.specialTokens.names.unknown
    maximumWordLength = tokenizer.options.maximumWordLength
    lowercases = tokenizer.options.lowercase
  }

  /// The share of the tokens that are [UNK].
  package var share: Double { tokens > 0 ? Double(unknown) / Double(tokens) : 0 }

  /// Adds figures.
  mutating func add(tokens: Int, unknown: Int) {
    self.tokens += tokens
    self.unknown += unknown
  }

  /// Adds the tokens of a text, and looks for the causes there as long as not enough are known.
  package mutating func add(
    _ ids: [Int32], of text: UnsafeBufferPointer<UInt8>, _ tokenizer: WordPieceTokenizer,
    specialTokensInText: WordPieceTokenizer.SpecialTokensInText = .none
  ) {
    let count = Self.count(ids, tokenizer)
    add(tokens: ids.count, unknown: count)
    if count > 0 { examine(text, tokenizer, specialTokensInText: specialTokensInText) }
  }

  /// How many of some ids are [UNK].
  static func count(_ ids: [Int32], _ tokenizer: WordPieceTokenizer) -> Int {
    let unknown = tokenizer.specialTokens.unknown
    return ids.reduce(0) { $0 + ($1 == unknown ? 1 : 0) }
  }

  /// Whether more words would say nothing new.
  var isExamined: Bool { findings.reduce(0) { $0 + $1.words } >= Self.examined }

  /// Finds out why words of a text are [UNK].
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

  /// The tokenizer of this vocabulary that does with case what this one does not.
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
    // Without the marks that the tokenizer drops, it may be shorter.
    let length = word.unicodeScalars.count { $0.properties.generalCategory != .nonspacingMark }
    if length > maximumWordLength {
      return Finding(cause: .longWord, word: String(String.UnicodeScalarView(word.unicodeScalars.prefix(20))) + "…")
    }
    let unknown = tokenizer.specialTokens.unknown
    if let otherCase, !otherCase.encode(word).contains(unknown) { return Finding(cause: .letterCase, word: word) }
    let character = word.unicodeScalars.first { tokenizer.encode(String($0)).contains(unknown) }
    return Finding(cause: .character, word: word, character: character)
  }

  /// What a person should know where more than 1 % are [UNK]: one line, without a full stop.
  package var warning: String? {
    guard share > Self.limit else { return nil }
    let thousandths = Int((share * 1000).rounded())
    let count =
      "\(unknown) of \(tokens) tokens\(isSample ? " looked at" : "") (\(thousandths / 10).\(thousandths % 10) %) are \(name)"
    // Of causes that are as common the one that was found first.
    guard let found = findings.max(by: { $0.words < $1.words }) else { return count }
    return "\(count), mostly \(reason(found))"
  }

  private func reason(_ finding: Finding) -> String {
    switch finding.cause {
    case .longWord: return "words of more than \(maximumWordLength) characters, such as '\(finding.word)'"
    case .letterCase:
      return lowercases
        ? "words that are known in their own case, which is lost, such as '\(finding.word)'"
        : "words that are known in lower case alone, such as '\(finding.word)'"
    case .character:
      let character = finding.character.map { "'\($0)' in " } ?? ""
      return "words with characters that are not in the vocabulary, such as \(character)'\(finding.word)'"
    case .written: return "where the text says \(name)"
    }
  }
}
