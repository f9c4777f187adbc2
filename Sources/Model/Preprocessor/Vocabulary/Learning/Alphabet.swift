import Text

/// The characters of some words, and common ones that text to come may have; and the pieces they are.
struct Alphabet {
  /// The characters in the order of their code points, then their `##` forms.
  private(set) var pieces: [[UInt8]] = []
  /// The words' characters that are pieces, and those that found no room.
  let characters, charactersLeftOut: Int
  /// The id of each scalar as the first of a word (even places) and further on (odd ones).
  private var ids: [UInt32: Int32] = [:]

  /// - Parameter room: pieces that are to be had. The alphabet takes half of them at most; where the text has more characters,
  ///   the rarest are left out. Common characters that are not in the text take a sixteenth at most.
  init(of words: WordTable, room: Int, options: WordPieceTokenizer.Options) {
    typealias Flags = UnicodeTables.Flags
    // The tokenizer makes a word of each such character.
    let alone = Flags.punctuation | (options.splitsCJK ? Flags.chinese : 0)
    func standsAlone(_ scalar: UInt32) -> Bool { UnicodeTables.shared.entry(scalar).pointee.flags & alone != 0 }

    var counts: [UInt32: UInt64] = [:]
    words.visit { word, _, count in Self.forEachScalar(word) { counts[$0, default: 0] += count } }
    var places = room / 2
    var kept: [UInt32] = []
    /// Until one finds no room.
    func keep(_ scalars: some Sequence<UInt32>) {
      for scalar in scalars {
        let needed = standsAlone(scalar) ? 1 : 2
        if needed > places { break }
        places -= needed
        kept.append(scalar)
      }
    }
    keep(counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key))
    (characters, charactersLeftOut) = (kept.count, counts.count - kept.count)
    places = charactersLeftOut == 0 ? min(places, room / 16) : 0
    keep(Self.common(lowercase: options.lowercase).filter { counts[$0] == nil })
    kept.sort()
    for scalar in kept { add(scalar, isContinuation: false) }
    // Any character may go on with a word that is yet to come, but for those that are words by themselves.
    for scalar in kept where !standsAlone(scalar) { add(scalar, isContinuation: true) }
  }

  /// The ids of a word's characters; nil where one is not in the alphabet.
  func spelling(of word: UnsafeBufferPointer<UInt8>) -> [Int32]? {
    var spelling: [Int32] = []
    spelling.reserveCapacity(word.count)
    var isKnown = true
    Self.forEachScalar(word) { scalar in
      if let id = ids[scalar << 1 | (spelling.isEmpty ? 0 : 1)] { spelling.append(id) } else { isKnown = false }
    }
    return isKnown ? spelling : nil
  }

  /// Printable ASCII, signs first, and the typography of English: a novel has no percent sign, its reader's text may.
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
