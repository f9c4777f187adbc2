import Files
import Glibc
import Text

/// The word pieces of a model. A piece's id is its index in the list, counted from 0. An id may have no piece.
///
///     let vocabulary = try Vocabulary(vocabTXT: bytes, file: "vocab.txt")
///     vocabulary.id(of: "##ing")      // 2075
///     vocabulary.piece(2075)          // "##ing"
///
/// Pieces are compared byte by byte. (`String` would merge pieces that are canonically equivalent; the multilingual
/// vocabulary has five such pairs with different ids.) All pieces are in one block of bytes with an open-addressing
/// hash table: 30,522 pieces load in about a millisecond, and a lookup allocates nothing.
public final class Vocabulary: Sendable {
  /// The number of ids, including those without a piece.
  public let count: Int
  /// The number of leading ids whose pieces make up words; later ids belong to added tokens.
  let wordPieceCount: Int
  /// The number of different pieces.
  let pieceCount: Int
  /// The replaced ids of duplicate pieces; the later id is used.
  let shadowedIDs: [Int]
  /// The file from which the pieces were read, for messages.
  public let file: String
  /// The concatenated pieces, in the order of their ids.
  private nonisolated(unsafe) let text: UnsafeMutablePointer<UInt8>
  /// `starts[id] ..< starts[id + 1]` is a piece's byte range in `text`.
  private nonisolated(unsafe) let starts: UnsafeMutablePointer<UInt32>
  /// The pieces into which words are split.
  nonisolated(unsafe) let table: PieceTable
  private nonisolated(unsafe) let addedTokens: PieceTable?

  /// Reads one piece per line, as transformers does. A line ends only at `\n`, and trailing white space is dropped. The
  /// id of an empty line has no piece. For a duplicate piece, the later id is used. A byte-order mark and empty lines
  /// at the end are ignored.
  ///
  /// Throws `TokenizerError` with file and line for invalid UTF-8.
  public convenience init(vocabTXT bytes: UnsafeBufferPointer<UInt8>, file: String) throws {
    try self.init(PieceList(vocabTXT: bytes), file: file, lines: true)
  }

  /// Reads one piece per line from an array of bytes.
  public convenience init(vocabTXT bytes: [UInt8], file: String) throws {
    try self.init(bytes.withUnsafeBufferPointer { PieceList(vocabTXT: $0) }, file: file, lines: true)
  }

  /// Creates a vocabulary from pieces in the order of their ids. Throws `TokenizerError` for an empty or duplicate
  /// piece.
  public convenience init(pieces: [String], file: String = "vocabulary") throws {
    var list = PieceList(expectedBytes: pieces.count * 8)
    for (id, piece) in pieces.enumerated() {
      if piece.isEmpty { throw TokenizerError.emptyPiece(DataLocation(file: file, line: id + 1)) }
      var piece = piece
      piece.withUTF8 { list.append($0) }
    }
    try self.init(list, file: file, lines: true)
    if let first = shadowedIDs.first, let second = self.id(of: pieces[first]) {
      throw TokenizerError.duplicatePiece(
        pieces[first], DataLocation(file: file, line: Int(second) + 1), first: first)
    }
  }

  /// - Parameters:
  ///   - lines: whether a piece's line number is its id plus one (for messages).
  ///   - wordPieceCount: the id from which pieces are added tokens, which are not used to split words; nil: none are.
  init(_ pieces: PieceList, file: String, lines: Bool, wordPieceCount: Int? = nil) throws {
    let count = pieces.count
    let wordPieceCount = min(wordPieceCount ?? count, count)
    guard count > 0 else { throw TokenizerError.emptyVocabulary(file: file) }
    guard pieces.bytes.count < 1 << 30, count < 1 << 28 else { throw TokenizerError.vocabularyTooLarge(file: file) }
    self.count = count
    self.file = file
    self.wordPieceCount = wordPieceCount
    text = .allocate(capacity: pieces.bytes.count + 1)
    starts = .allocate(capacity: count + 1)
    let (text, starts) = (text, starts)
    pieces.bytes.withUnsafeBufferPointer {
      if let base = $0.baseAddress { text.initialize(from: base, count: $0.count) }
    }
    pieces.starts.withUnsafeBufferPointer {
      if let base = $0.baseAddress { starts.initialize(from: base, count: $0.count) }
    }
    table = PieceTable(text: text, starts: starts, count: wordPieceCount)
    addedTokens =
      wordPieceCount < count
      ? PieceTable(text: text, starts: starts, first: wordPieceCount, count: count - wordPieceCount) : nil
    var shadowed: [Int] = []
    var pieceCount = 0
    // In descending order: the later id of a duplicate piece is used.
    for id in (0..<count).reversed() where starts[id + 1] > starts[id] {
      let piece = text + Int(starts[id])
      guard
        UTF8Validation.firstInvalid(UnsafeBufferPointer(start: piece, count: Int(starts[id + 1] - starts[id]))) == nil
      else {
        throw TokenizerError.notUTF8(DataLocation(file: file, line: lines ? id + 1 : nil))
      }
      let table = id < wordPieceCount ? table : addedTokens ?? table
      if table.insert(id) == nil { pieceCount += 1 } else { shadowed.append(id) }
    }
    self.pieceCount = pieceCount
    shadowedIDs = shadowed.reversed()
    guard pieceCount > 0 else { throw TokenizerError.emptyVocabulary(file: file) }
    Self.remove(shadowed, text: text, starts: starts, count: count)
  }

  /// Removes the pieces of some ids.
  private static func remove(
    _ ids: [Int], text: UnsafeMutablePointer<UInt8>, starts: UnsafeMutablePointer<UInt32>, count: Int
  ) {
    guard !ids.isEmpty else { return }
    let removed = Set(ids)
    var (begin, end) = (Int(starts[0]), 0)
    for id in 0..<count {
      let next = Int(starts[id + 1])
      starts[id] = UInt32(truncatingIfNeeded: end)
      if !removed.contains(id) {
        memmove(text + end, text + begin, next - begin)
        end += next - begin
      }
      begin = next
    }
    starts[count] = UInt32(truncatingIfNeeded: end)
  }

  deinit {
    text.deallocate()
    starts.deallocate()
    table.deallocate()
    addedTokens?.deallocate()
  }

  /// Returns the id of a piece, spelled as in the vocabulary (including `##`), or of an added token; nil if there is
  /// none.
  public func id(of piece: UnsafeBufferPointer<UInt8>) -> Int32? {
    guard let base = piece.baseAddress else { return nil }
    let id = table.id(ofPiece: base, count: piece.count)
    if id >= 0 { return id }
    let added = addedTokens?.id(ofPiece: base, count: piece.count) ?? -1
    return added < 0 ? nil : added
  }

  /// Returns the id of a piece, spelled as in the vocabulary (including `##`), or nil. Compares bytes.
  public func id(of piece: String) -> Int32? {
    var piece = piece
    return piece.withUTF8 { id(of: $0) }
  }

  /// Returns the bytes of a piece, which are valid during the life of the vocabulary; empty for an id outside the
  /// vocabulary.
  public func bytes(of id: Int) -> UnsafeBufferPointer<UInt8> {
    guard id >= 0, id < count else { return UnsafeBufferPointer(start: nil, count: 0) }
    return UnsafeBufferPointer(start: text + Int(starts[id]), count: Int(starts[id + 1] - starts[id]))
  }

  /// Returns a piece's spelling; empty for an id outside the vocabulary.
  public func piece(_ id: Int) -> String {
    withExtendedLifetime(self) { String(decoding: bytes(of: id), as: UTF8.self) }
  }

  /// Returns whether a piece continues a word (`##…`).
  public func isContinuation(_ id: Int) -> Bool {
    let piece = bytes(of: id)
    return piece.count > 2 && piece[0] == 0x23 && piece[1] == 0x23
  }

  /// The content of a vocab.txt: each piece followed by `\n`, without added tokens.
  public var vocabTXT: [UInt8] {
    var lines: [UInt8] = []
    lines.reserveCapacity(Int(starts[wordPieceCount]) + count)
    for id in 0..<wordPieceCount {
      lines.append(contentsOf: bytes(of: id))
      lines.append(0x0A)
    }
    return lines
  }
}

/// Concatenated pieces, while a vocabulary is read. An empty piece represents an id without a piece.
struct PieceList {
  private(set) var bytes: [UInt8] = []
  private(set) var starts: [UInt32] = [0]
  var count: Int { starts.count - 1 }

  /// Irregularities of a vocab.txt.
  struct Oddities {
    var hasByteOrderMark = false
    var blankLines = 0
    var trailingBlanks = 0
  }
  private(set) var oddities = Oddities()

  init(expectedBytes: Int) {
    bytes.reserveCapacity(expectedBytes)
    starts.reserveCapacity(expectedBytes / 6 + 2)
  }

  /// Reads one piece per line; see `Vocabulary.init(vocabTXT:file:)`.
  init(vocabTXT bytes: UnsafeBufferPointer<UInt8>) {
    self.init(expectedBytes: bytes.count)
    guard let base = bytes.baseAddress else { return }
    oddities.hasByteOrderMark = bytes.count >= 3 && base[0] == 0xEF && base[1] == 0xBB && base[2] == 0xBF
    var position = oddities.hasByteOrderMark ? 3 : 0
    var end = bytes.count
    while end > position, base[end - 1] == 0x0A || base[end - 1] == 0x0D { end -= 1 }
    while position < end {
      let newline = memchr(base + position, 0x0A, end - position)
      let next = newline.map { base.distance(to: $0.assumingMemoryBound(to: UInt8.self)) } ?? end
      var last = next
      if last > position, base[last - 1] == 0x0D { last -= 1 }
      let line = last
      // Equivalent to Rust's `trim_end`, which the tokenizers library applies to the file.
      while let scalar = scalarBefore(last, from: position, base), UnicodeClasses.isWhiteSpace(scalar) {
        last -= utf8Length(of: scalar)
      }
      if last == position { oddities.blankLines += 1 } else if last < line { oddities.trailingBlanks += 1 }
      append(UnsafeBufferPointer(start: base + position, count: last - position))
      position = next + 1
    }
  }

  mutating func append(_ piece: UnsafeBufferPointer<UInt8>) {
    bytes.append(contentsOf: piece)
    starts.append(UInt32(truncatingIfNeeded: bytes.count))
  }

  mutating func append(_ piece: String) {
    var piece = piece
    piece.withUTF8 { append($0) }
  }

  /// Returns the pieces in the order of their ids, some of which may have none.
  ///
  /// - Throws: `TokenizerError` if two pieces have the same id, or an id is far beyond their number.
  func ordered(by ids: [Int], file: String) throws -> PieceList {
    var indices: [Int] = []
    indices.reserveCapacity(count)
    var isOrdered = true
    for (index, id) in ids.enumerated() {
      guard id >= 0, id < 4 * count + (1 << 16) else {
        throw TokenizerError.idOutOfRange(piece: piece(index), id: String(id), count: count, file: file)
      }
      while indices.count <= id { indices.append(-1) }
      guard indices[id] < 0 else {
        throw TokenizerError.duplicateID(id, piece(indices[id]), piece(index), file: file)
      }
      indices[id] = index
      isOrdered = isOrdered && id == index
    }
    if isOrdered { return self }
    var list = PieceList(expectedBytes: bytes.count)
    bytes.withUnsafeBufferPointer { bytes in
      for index in indices {
        let range = index < 0 ? 0..<0 : Int(starts[index])..<Int(starts[index + 1])
        list.append(UnsafeBufferPointer(rebasing: bytes[range]))
      }
    }
    return list
  }

  private func piece(_ index: Int) -> String {
    String(decoding: bytes[Int(starts[index])..<Int(starts[index + 1])], as: UTF8.self)
  }
}
