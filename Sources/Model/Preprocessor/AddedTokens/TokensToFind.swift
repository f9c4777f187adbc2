import Text

/// The tokens that a tokenizer looks for in text, and their treatment in each mode.
struct TokensToFind {
  private(set) var raw: TokenTrie?
  private(set) var normalized: TokenTrie?
  /// The maximum number of white-space characters in a token.
  private(set) var blanks = 0
  /// Whether a token that begins with white space depends on the character before it.
  private(set) var looksBeforeBlanks = false

  private struct Entry {
    let bytes: [UInt8]
    let token: TokenTrie.Token
    let isNormalized: Bool
  }

  private var entries: [Entry] = []
  private let classes: [UInt8]
  private let splitsCJK: Bool

  /// - Parameter classes: `TextNormalizer.byteClasses()`.
  init(
    _ added: [AddedToken], _ special: SpecialTokens, _ options: WordPieceTokenizer.Options,
    _ normalizer: TextNormalizer, classes: [UInt8]
  ) {
    self.classes = classes
    splitsCJK = normalizer.splitsCJK
    let five = Set(special.named.map(\.id))
    for token in added {
      let modes = five.contains(token.id) ? Self.modes(ofSpecial: token.id, special, options) : 7
      let bytes = token.isNormalized ? Self.normalized(token.content, options, normalizer) : Array(token.content.utf8)
      if bytes.isEmpty || modes == 0 { continue }
      blanks = max(blanks, bytes.count(where: TokenTrie.isBlank))
      if token.singleWord, TokenTrie.isBlank(bytes[0]) { looksBeforeBlanks = true }
      entries.append(
        Entry(
          bytes: bytes,
          token: TokenTrie.Token(
            id: token.id, modes: modes, singleWord: token.singleWord, leftStrip: token.leftStrip,
            rightStrip: token.rightStrip),
          isNormalized: token.isNormalized))
    }
    func trie(_ entries: [Entry]) -> TokenTrie? {
      if entries.isEmpty { return nil }
      return TokenTrie(entries.map { ($0.bytes, $0.token) }) { TextNormalizer.ByteClass.endsWord(classes[Int($0)]) }
    }
    raw = trie(entries.filter { !$0.isNormalized })
    normalized = trie(entries.filter(\.isNormalized))
  }

  /// Returns the modes in which one of BERT's five special tokens is recognized. All other tokens are recognized in all
  /// modes.
  private static func modes(
    ofSpecial id: Int32, _ special: SpecialTokens, _ options: WordPieceTokenizer.Options
  ) -> UInt8 {
    typealias Mode = WordPieceTokenizer.SpecialTokensInText
    return Mode.allCases.reduce(0) { bits, mode in
      let isFound =
        mode == .all || (mode == .maskOnly && id == special.mask)
        || (options.findsSpecialTokens && id != special.unknown)
      return isFound ? bits | mode.bit : bits
    }
  }

  private static func normalized(
    _ content: String, _ options: WordPieceTokenizer.Options, _ normalizer: TextNormalizer
  ) -> [UInt8] {
    var content = content
    return content.withUTF8 { bytes in
      guard let base = bytes.baseAddress else { return [] }
      var text = NormalizedText(base, from: 0, to: bytes.count, tracksOffsets: false)
      if let steps = options.steps {
        for step in steps.normalizers { text.apply(step) }
      } else {
        text.normalize(normalizer)
      }
      return text.bytes
    }
  }

  /// Describes a mode, and marks in its classes the punctuation that may begin a token.
  func describe(_ mode: inout WordPieceTokenizer.Mode, _ modeClasses: UnsafeMutablePointer<UInt8>) {
    for entry in entries where entry.token.modes & mode.bit != 0 {
      let first = Int(entry.bytes[0])
      let isSpecial = entry.token.modes != 7
      if entry.isNormalized { mode.hasTokensInRuns = true }
      switch classes[first] {
      case TextNormalizer.ByteClass.punctuation:
        modeClasses[first] = TextNormalizer.ByteClass.token
        mode.hasPunctuation = true
        // All modes share one cache, so modes must not differ within a run. Also, if the preceding run came from the
        // cache, it is unknown whether a word precedes a token.
        if isSpecial && entry.isNormalized || entry.token.singleWord { mode.isCached = false }
      case TextNormalizer.ByteClass.letter, TextNormalizer.ByteClass.nonASCII:
        mode.hasTokensInRuns = true
        if isSpecial { mode.isCached = false }
      case TextNormalizer.ByteClass.blank where entry.isNormalized && isPadding(entry.bytes):
        break
      default: mode.isCached = false
      }
    }
  }

  /// Returns whether an initial blank is one that the normalizer puts before an ideograph, so that it belongs to a run.
  private func isPadding(_ bytes: [UInt8]) -> Bool {
    guard splitsCJK, bytes[0] == 0x20, bytes.count > 1 else { return false }
    let scalar = bytes.withUnsafeBufferPointer { bytes in
      bytes.baseAddress.map { decodeScalar($0, at: 1, count: bytes.count).scalar } ?? 0
    }
    return UnicodeTables.shared.entry(scalar).pointee.flags & UnicodeTables.Flags.chinese != 0
  }
}
