/// Splits words into pieces: the longest piece at the beginning of the word, then the longest `##` piece at the
/// beginning of the rest, and so on. A word that cannot be split this way, or is longer than the limit, is [UNK] as a
/// whole.
///
/// Source: transformers' `WordpieceTokenizer`.
struct WordPiece<Sink: TokenSink>: WordSink {
  static var wantsOffsets: Bool { Sink.wantsOffsets }

  private let table: PieceTable
  private let unknown: Int32
  /// Memory for the pieces of one word: the id and end of each.
  private let pieces: UnsafeMutablePointer<(id: Int32, end: Int32)>
  private let sink: Sink
  /// The end of the last token in the text, and whether it was an added token. They decide whether the next token
  /// starts a word.
  private var lastEnd = -1
  private var lastWasAdded = false

  static func byteCount(limit: Int) -> Int { (4 * limit + 4) * 8 }

  init(table: PieceTable, unknown: Int32, limit: Int, memory: UnsafeMutableRawPointer, sink: Sink) {
    self.table = table
    self.unknown = unknown
    self.sink = sink
    pieces = memory.bindMemory(to: (id: Int32, end: Int32).self, capacity: 4 * limit + 4)
  }

  @inline(__always)
  mutating func word(_ word: borrowing WordBuffer) {
    // A word as in transformers' whole-word masking: tokens with no gap between them in the text.
    let startsWord = word.start != lastEnd || lastWasAdded
    lastEnd = word.end
    lastWasAdded = false
    guard !word.isTooLong else {
      sink.token(unknown, from: word.start, to: word.end, startsWord: startsWord)
      return
    }
    let first = table.longestMatch(in: word.bytes, from: 0, count: word.count, prefixes: word.prefixes)
    if first.end == word.count {
      sink.token(first.id, from: word.start, to: word.end, startsWord: startsWord)
      return
    }
    cut(word, first: first, startsWord: startsWord)
  }

  /// Handles a word that may begin with `##`. BERT's own words never do, because `#` is a separate word.
  mutating func anyWord(_ word: borrowing WordBuffer) {
    let (bytes, count) = (word.bytes, word.count)
    guard count > 2, bytes[0] == 0x23, bytes[1] == 0x23, !word.isTooLong else { return self.word(word) }
    let startsWord = word.start != lastEnd || lastWasAdded
    lastEnd = word.end
    lastWasAdded = false
    var end = count
    while end > 0 {
      if end == count || bytes[end] & 0xC0 != 0x80 {
        let id = table.id(ofPiece: bytes, count: end)
        if id >= 0 { return take(word, first: (id, end), startsWord: startsWord) }
      }
      end -= 1
    }
    take(word, first: (-1, 0), startsWord: startsWord)
  }

  private mutating func take(_ word: borrowing WordBuffer, first: (id: Int32, end: Int), startsWord: Bool) {
    if first.end == word.count {
      sink.token(first.id, from: word.start, to: word.end, startsWord: startsWord)
    } else {
      cut(word, first: first, startsWord: startsWord)
    }
  }

  @inline(never)
  private mutating func cut(_ word: borrowing WordBuffer, first: (id: Int32, end: Int), startsWord: Bool) {
    var match = first
    var count = 0
    while match.id >= 0 {
      pieces[count] = (match.id, Int32(truncatingIfNeeded: match.end))
      count += 1
      if match.end == word.count { break }
      match = table.longestMatch(in: word.bytes, from: match.end, count: word.count, prefixes: word.prefixes)
    }
    guard match.id >= 0 else {
      sink.token(unknown, from: word.start, to: word.end, startsWord: startsWord)
      return
    }
    var begin = 0
    for index in 0..<count {
      let end = Int(pieces[index].end)
      sink.token(
        pieces[index].id, from: Sink.wantsOffsets ? word.starts[begin] : 0,
        to: Sink.wantsOffsets ? word.ends[end - 1] : 0, startsWord: startsWord && index == 0)
      begin = end
    }
  }

  /// Handles a token that was found in the text before splitting into words.
  mutating func addedToken(_ id: Int32, from start: Int, to end: Int) {
    sink.token(id, from: start, to: end, startsWord: true)
    lastEnd = end
    lastWasAdded = true
  }
}

/// Receives the tokens of a text one by one.
protocol TokenSink {
  /// Whether the sink uses `from` and `to`.
  static var wantsOffsets: Bool { get }
  /// Whether the sink uses `startsWord`.
  static var wantsWordStarts: Bool { get }
  /// Receives a token made from the text's bytes `start ..< end`. `startsWord`: whether it does not continue the
  /// previous word.
  func token(_ id: Int32, from start: Int, to end: Int, startsWord: Bool)
}
