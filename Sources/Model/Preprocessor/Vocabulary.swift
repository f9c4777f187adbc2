import Glibc

/// The word pieces of a model, each with its id: its place in the list, counted from 0.
///
///     let vocabulary = try Vocabulary(vocabTXT: bytes, file: "vocab.txt")
///     vocabulary.id(of: "##ing")      // 2075
///     vocabulary.piece(2075)          // "##ing"
///
/// Pieces are compared byte by byte. (`String` would merge pieces that are canonically equivalent; the multilingual
/// vocabulary has five such pairs with different ids.) All pieces lie in one block of bytes, and an open-addressing table
/// of our own finds them: 30,522 pieces load in about a millisecond, and a look-up allocates nothing.
public final class Vocabulary: Sendable {
  /// The number of pieces.
  public let count: Int
  /// The file the pieces came from, for messages.
  public let file: String
  /// The pieces end to end, in the order of their ids.
  private nonisolated(unsafe) let text: UnsafeMutablePointer<UInt8>
  /// `starts[id] ..< starts[id + 1]` is a piece's place in `text`.
  private nonisolated(unsafe) let starts: UnsafeMutablePointer<UInt32>
  nonisolated(unsafe) let table: PieceTable

  /// Reads one piece a line. A line ends at `\n` (one `\r` before it is dropped) and nowhere else; a byte-order mark
  /// and empty lines at the end are ignored.
  ///
  /// Throws `TokenizerError` naming file and line for an empty line, a piece that is there twice, bytes that are not UTF-8.
  public convenience init(vocabTXT bytes: UnsafeBufferPointer<UInt8>, file: String) throws {
    try self.init(PieceList(vocabTXT: bytes), file: file, lines: true)
  }

  /// The same, from bytes in an array.
  public convenience init(vocabTXT bytes: [UInt8], file: String) throws {
    try self.init(bytes.withUnsafeBufferPointer { PieceList(vocabTXT: $0) }, file: file, lines: true)
  }

  /// The pieces in the order of their ids.
  public convenience init(pieces: [String], file: String = "vocabulary") throws {
    var list = PieceList(expectedBytes: pieces.count * 8)
    for piece in pieces {
      var piece = piece
      piece.withUTF8 { list.append($0) }
    }
    try self.init(list, file: file, lines: true)
  }

  /// `lines`: whether a piece's id is its line in the file, less one (for messages).
  init(_ pieces: PieceList, file: String, lines: Bool) throws {
    let count = pieces.count
    guard count > 0 else { throw TokenizerError.emptyVocabulary(file: file) }
    guard pieces.bytes.count < 1 << 30, count < 1 << 28 else { throw TokenizerError.vocabularyTooLarge(file: file) }
    self.count = count
    self.file = file
    text = .allocate(capacity: pieces.bytes.count + 1)
    starts = .allocate(capacity: count + 1)
    let (text, starts) = (text, starts)
    pieces.bytes.withUnsafeBufferPointer {
      if let base = $0.baseAddress { text.initialize(from: base, count: $0.count) }
    }
    pieces.starts.withUnsafeBufferPointer {
      if let base = $0.baseAddress { starts.initialize(from: base, count: $0.count) }
    }
    table = PieceTable(text: text, starts: starts, count: count)
    for id in 0..<count {
      let piece = text + Int(starts[id])
      let length = Int(starts[id + 1] - starts[id])
      let location = DataLocation(file: file, line: lines ? id + 1 : nil)
      guard length > 0 else { throw TokenizerError.emptyPiece(location) }
      guard firstInvalidUTF8(piece, count: length) == nil else { throw TokenizerError.notUTF8(location) }
      if let first = table.insert(id) {
        let name = String(decoding: UnsafeBufferPointer(start: piece, count: length), as: UTF8.self)
        throw TokenizerError.duplicatePiece(name, location, first: first)
      }
    }
  }

  deinit {
    text.deallocate()
    starts.deallocate()
    table.deallocate()
  }

  /// The id of a piece, spelled as in the vocabulary (`##` included), or nil.
  public func id(of piece: UnsafeBufferPointer<UInt8>) -> Int32? {
    guard let base = piece.baseAddress else { return nil }
    let id = table.id(ofPiece: base, count: piece.count)
    return id < 0 ? nil : id
  }

  /// The id of a piece, spelled as in the vocabulary (`##` included), or nil. Compared by bytes.
  public func id(of piece: String) -> Int32? {
    var piece = piece
    return piece.withUTF8 { id(of: $0) }
  }

  /// The bytes of a piece; empty for an id that is not in the vocabulary. Valid while the vocabulary lives.
  public func bytes(of id: Int) -> UnsafeBufferPointer<UInt8> {
    guard id >= 0, id < count else { return UnsafeBufferPointer(start: nil, count: 0) }
    return UnsafeBufferPointer(start: text + Int(starts[id]), count: Int(starts[id + 1] - starts[id]))
  }

  /// A piece's spelling; empty for an id that is not in the vocabulary.
  public func piece(_ id: Int) -> String {
    withExtendedLifetime(self) { String(decoding: bytes(of: id), as: UTF8.self) }
  }

  /// Whether a piece goes on with a word (`##…`).
  public func isContinuation(_ id: Int) -> Bool {
    let piece = bytes(of: id)
    return piece.count > 2 && piece[0] == 0x23 && piece[1] == 0x23
  }

  /// The lines of a vocab.txt: each piece followed by `\n`.
  public var vocabTXT: [UInt8] {
    var lines: [UInt8] = []
    lines.reserveCapacity(Int(starts[count]) + count)
    for id in 0..<count {
      lines.append(contentsOf: bytes(of: id))
      lines.append(0x0A)
    }
    return lines
  }
}

/// Pieces end to end, while a vocabulary is being read.
struct PieceList {
  private(set) var bytes: [UInt8] = []
  private(set) var starts: [UInt32] = [0]
  var count: Int { starts.count - 1 }

  init(expectedBytes: Int) {
    bytes.reserveCapacity(expectedBytes)
    starts.reserveCapacity(expectedBytes / 6 + 2)
  }

  /// One piece a line; see `Vocabulary.init(vocabTXT:file:)`.
  init(vocabTXT bytes: UnsafeBufferPointer<UInt8>) {
    self.init(expectedBytes: bytes.count)
    guard let base = bytes.baseAddress else { return }
    var position = bytes.count >= 3 && base[0] == 0xEF && base[1] == 0xBB && base[2] == 0xBF ? 3 : 0
    var end = bytes.count
    while end > position, base[end - 1] == 0x0A || base[end - 1] == 0x0D { end -= 1 }
    while position < end {
      let newline = memchr(base + position, 0x0A, end - position)
      let next = newline.map { base.distance(to: $0.assumingMemoryBound(to: UInt8.self)) } ?? end
      var length = next - position
      if length > 0, base[next - 1] == 0x0D { length -= 1 }
      append(UnsafeBufferPointer(start: base + position, count: length))
      position = next + 1
    }
  }

  mutating func append(_ piece: UnsafeBufferPointer<UInt8>) {
    bytes.append(contentsOf: piece)
    starts.append(UInt32(truncatingIfNeeded: bytes.count))
  }
}
