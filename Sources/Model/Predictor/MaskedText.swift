import Files
import Text

/// A text with `[MASK]` in it, as the model takes it, and where its masks stand in the text.
///
/// `[MASK]` is the mask token wherever it stands, also inside a word; other special names are plain text, unless asked for.
struct MaskedText: Sendable, Equatable {
  /// [CLS] … [SEP], with the mask positions to answer.
  let sample: Sample
  /// Where each mask stands in the text, in UTF-8 bytes; ascending.
  let masks: [Range<Int>]
  /// What was noticed on the way, a line each: the text was cut to a window.
  let notes: [String]

  /// - Parameters:
  ///   - text: any bytes; what is not UTF-8 is read as U+FFFD.
  ///   - sequenceLength: tokens of a sample, [CLS] and [SEP] counted. Of a longer text the window around its masks is taken, with
  ///     as much text before as after them.
  /// - Throws: where there is no mask, or the masks do not fit into one window.
  init(
    _ text: [UInt8], tokenizer: WordPieceTokenizer, sequenceLength: Int,
    specialTokensInText: WordPieceTokenizer.SpecialTokensInText = .maskOnly
  ) throws(MaskedTextError) {
    let special = tokenizer.specialTokens
    let encoding = text.withUnsafeBufferPointer {
      tokenizer.encodeWithOffsets($0, specialTokensInText: specialTokensInText)
    }
    let ids = encoding.ids
    let places = ids.indices.filter { ids[$0] == special.mask }
    guard let first = places.first, let last = places.last else {
      throw .noMask(maskToken: special.names.mask, written: Self.otherSpelling(in: text))
    }
    let budget = sequenceLength - 2
    let needed = last - first + 1
    guard needed <= budget else {
      throw .masksTooFarApart(tokens: needed + 2, sequenceLength: sequenceLength)
    }
    var window = 0..<ids.count
    var notes: [String] = []
    if ids.count > budget {
      let start = min(max(0, first - (budget - needed) / 2), ids.count - budget)
      window = start..<start + budget
      let places = places.count == 1 ? "mask" : "masks"
      notes.append("a text of \(ids.count + 2) tokens was cut to the \(sequenceLength) around its \(places)")
    }
    sample = Sample(
      tokenIDs: [special.classification] + ids[window] + [special.separator],
      maskPositions: places.map { Int32($0 - window.lowerBound + 1) })
    masks = places.map { Self.withoutBlanks(encoding.offsets[$0], in: text) }
    self.notes = notes
  }

  /// The text with each mask replaced by a word piece, otherwise untouched.
  static func replacing(_ masks: [Range<Int>], with pieces: [String], in text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count + 8 * pieces.count)
    var end = 0
    for (mask, piece) in zip(masks, pieces) {
      result += text[end..<mask.lowerBound]
      result += word(piece)
      end = mask.upperBound
    }
    return result + text[end...]
  }

  /// A mask's own part of the text, where its token takes white space along (`lstrip`).
  static func withoutBlanks(_ mask: Range<Int>, in text: [UInt8]) -> Range<Int> {
    text.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return mask }
      var (start, end) = (mask.lowerBound, mask.upperBound)
      while let scalar = start < end ? decodeScalar(base, at: start, count: end).scalar : nil,
        UnicodeClasses.isWhiteSpace(scalar)
      { start += decodeScalar(base, at: start, count: end).length }
      while let scalar = scalarBefore(end, from: start, base), UnicodeClasses.isWhiteSpace(scalar) {
        end -= utf8Length(of: scalar)
      }
      return start < end ? start..<end : mask
    }
  }

  private static func word(_ piece: String) -> [UInt8] {
    let bytes = Array(piece.utf8)
    return bytes.starts(with: [0x23, 0x23]) && bytes.count > 2 ? Array(bytes.dropFirst(2)) : bytes
  }

  /// How masks are spelled elsewhere, where the text has one of those.
  private static func otherSpelling(in text: [UInt8]) -> String? {
    ["[mask]", "[Mask]", "[ MASK ]", "<mask>", "<MASK>", "___"].first { contains(text, Array($0.utf8)) }
  }

  private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
    guard text.count >= part.count else { return false }
    return (0...text.count - part.count).contains { text[$0..<$0 + part.count].elementsEqual(part) }
  }
}

/// Why a text has no answer.
public enum MaskedTextError: ModelError, Equatable {
  /// `written`: another spelling of a mask that is in the text.
  case noMask(maskToken: String, written: String?)
  /// The masks, with the text between them, are more tokens than a sample holds.
  case masksTooFarApart(tokens: Int, sequenceLength: Int)
  /// The model's scores are no numbers.
  case scoresNotFinite

  public var kind: ErrorKind { .data }
  public var message: String {
    switch self {
    case .noMask(let maskToken, _): "there is no \(maskToken) in the text"
    case .masksTooFarApart(let tokens, let length):
      "the masks and the text between them are \(tokens) tokens long, more than the \(length) of one sample"
    case .scoresNotFinite: NotFiniteError(what: "scores").message
    }
  }

  public var hint: String? {
    switch self {
    case .noMask(let maskToken, let written?): "write \(maskToken) for '\(written)'"
    case .noMask(let maskToken, nil): "put \(maskToken) where a word is to be filled in"
    case .masksTooFarApart: "ask about them in several texts"
    case .scoresNotFinite: NotFiniteError(what: "scores").hint
    }
  }
}

/// A model that gives no numbers.
package struct NotFiniteError: ModelError {
  /// "scores", "loss".
  let what: String

  package init(what: String) { self.what = what }

  package var kind: ErrorKind { .data }
  package var message: String {
    "the model's \(what) cannot be computed: its weights hold values that are not finite"
  }
  package var hint: String? { "the training that made it may have diverged; take an earlier model" }
}
