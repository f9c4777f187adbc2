import Text

/// The characters of some words, common characters that future text may contain, and the pieces for them.
struct Alphabet {
  /// The characters in code-point order, then their `##` forms.
  private(set) var pieces: [[UInt8]] = []
  /// The number of the words' characters that are pieces, and of those that did not fit.
  let characters, charactersLeftOut: Int
  /// The id of each scalar at the beginning of a word (even keys) and inside one (odd keys).
  private var ids: [UInt32: Int32] = [:]

  /// - Parameter room: the number of available pieces. The alphabet takes at most half of them; the rarest characters
  ///   of the text are left out if it has more. Common characters that are not in the text take at most a sixteenth.
  init(of words: WordTable, room: Int, options: WordPieceTokenizer.Options) {
    typealias Flags = UnicodeTables.Flags
    // The tokenizer splits off each such character as a word.
    let alone = Flags.punctuation | (options.splitsCJK ? Flags.chinese : 0)
    func standsAlone(_ scalar: UInt32) -> Bool { UnicodeTables.shared.entry(scalar).pointee.flags & alone != 0 }

    var counts: [UInt32: UInt64] = [:]
    words.visit { word, _, count in Self.forEachScalar(word) { counts[$0, default: 0] += count } }
    var remaining = room / 2
    var kept: [UInt32] = []
    /// Keeps scalars until one does not fit.
    func keep(_ scalars: some Sequence<UInt32>) {
      for scalar in scalars {
        let needed = standsAlone(scalar) ? 1 : 2
        if needed > remaining { break }
        remaining -= needed
        kept.append(scalar)
      }
    }
    keep(counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key))
    (characters, charactersLeftOut) = (kept.count, counts.count - kept.count)
    remaining = charactersLeftOut == 0 ? min(remaining, room / 16) : 0
    keep(Self.common(lowercase: options.lowercase).filter { counts[$0] == nil })
    kept.sort()
    for scalar in kept { add(scalar, isContinuation: false) }
    // Any character may continue a future word, except those that are words by themselves.
    for scalar in kept where !standsAlone(scalar) { add(scalar, isContinuation: true) }
  }

  /// Returns the ids of a word's characters; nil if one is not in the alphabet.
  func spelling(of word: UnsafeBufferPointer<UInt8>) -> [Int32]? {
    var spelling: [Int32] = []
    spelling.reserveCapacity(word.count)
    var isKnown = true
    Self.forEachScalar(word) { scalar in
      if let id = ids[scalar << 1 | (spelling.isEmpty ? 0 : 1)] { spelling.append(id) } else { isKnown = false }
    }
    return isKnown ? spelling : nil
  }

  /// Printable ASCII, punctuation first, and English typography: a novel may lack a percent sign that later text has.
  private static func common(lowercase: Bool) -> [UInt32] {
    let letters = (lowercase ? "" : "ABCDEFGHIJKLMNOPQRSTUVWXYZ") + "abcdefghijklmnopqrstuvwxyz"
    let characters = ##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~0123456789"## + letters + "‘’“”–—…•·«»£€¥¢§©®™°±×÷½"
    return characters.unicodeScalars.map(\.value)
  }

  private mutating func add(_ scalar: UInt32, isContinuation: Bool) {
    ids[scalar << 1 | (isContinuation ? 1 : 0)] = Int32(pieces.count)
    let prefix = isContinuation ? PairMerger.prefix : []
    pieces.append(prefix + Array(Character(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8))
  }

  private static func forEachScalar(_ word: UnsafeBufferPointer<UInt8>, _ body: (UInt32) -> Void) {
    guard let bytes = word.baseAddress else { return }
    var index = 0
    while index < word.count {
      let (scalar, length) = decodeScalar(bytes, at: index, count: word.count)
      body(scalar)
      index += max(length, 1)
    }
  }
}
