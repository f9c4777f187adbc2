import Files
import Text

/// A text with `[MASK]` that is ready for the model, with the location of its masks.
///
/// `[MASK]` is the mask token anywhere, even inside a word; other special tokens are plain text unless requested.
struct MaskedText: Sendable, Equatable {
  /// The sample, [CLS] … [SEP], with the mask positions to fill.
  let sample: Sample
  /// The byte range of each mask in the text (UTF-8), ascending.
  let masks: [Range<Int>]
  /// Notes, one line each: the text was cut to a window.
  let notes: [String]

  /// - Parameters:
  ///   - text: any bytes; invalid UTF-8 is read as U+FFFD.
  ///   - sequenceLength: the most tokens of a sample, including [CLS] and [SEP]. A longer text is cut to the window
  ///     around its masks, with as much text before as after them.
  /// - Throws: if there is no mask, or if the masks do not fit into one window.
  init(
    _ text: [UInt8], tokenizer: WordPieceTokenizer, sequenceLength: Int,
    specialTokensInText: WordPieceTokenizer.SpecialTokensInText = .maskOnly
  ) throws(MaskedTextError) {
    let special = tokenizer.specialTokens
    let encoding = text.withUnsafeBufferPointer {
      tokenizer.encodeWithOffsets($0, specialTokensInText: specialTokensInText)
    }
    let ids = encoding.ids
    let maskIndices = ids.indices.filter { ids[$0] == special.mask }
    guard let first = maskIndices.first, let last = maskIndices.last else {
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
      let noun = maskIndices.count == 1 ? "mask" : "masks"
      notes.append("a text of \(ids.count + 2) tokens was cut to the \(sequenceLength) around its \(noun)")
    }
    sample = Sample(
      tokenIDs: [special.classification] + ids[window] + [special.separator],
      maskPositions: maskIndices.map { Int32($0 - window.lowerBound + 1) })
    masks = maskIndices.map { Self.withoutBlanks(encoding.offsets[$0], in: text) }
    self.notes = notes
  }

  /// Returns the text with each mask replaced by a word piece, otherwise unchanged.
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

  /// Returns a mask's range in the text without the white space that its token includes (`lstrip`).
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

  /// Returns another common spelling of a mask that the text contains, if any.
  private static func otherSpelling(in text: [UInt8]) -> String? {
    ["[mask]", "[Mask]", "[ MASK ]", "<mask>", "<MASK>", "___"].first { contains(text, Array($0.utf8)) }
  }

  private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
    guard text.count >= part.count else { return false }
    return (0...text.count - part.count).contains { text[$0..<$0 + part.count].elementsEqual(part) }
  }
}

/// The reason why a text has no answer.
public enum MaskedTextError: ModelError, Equatable {
  /// The text has no mask. `written` is another spelling of a mask that it contains.
  case noMask(maskToken: String, written: String?)
  /// The masks and the text between them have more tokens than a sample.
  case masksTooFarApart(tokens: Int, sequenceLength: Int)
  /// The model's scores are not finite.
  case scoresNotFinite

  public var kind: ErrorKind { .data }
  public var message: String {
    switch self {
    case .noMask(let maskToken, _): "there is no \(maskToken) in the text"
    case .masksTooFarApart(let tokens, let length):
      "the masks and the text between them take \(tokens) tokens, but a sample has at most \(length)"
    case .scoresNotFinite: NotFiniteError(what: "scores").message
    }
  }

  public var hint: String? {
    switch self {
    case .noMask(let maskToken, let written?): "write \(maskToken) instead of '\(written)'"
    case .noMask(let maskToken, nil): "put \(maskToken) where a word is missing"
    case .masksTooFarApart: "split the text, with fewer masks in each part"
    case .scoresNotFinite: NotFiniteError(what: "scores").hint
    }
  }
}

/// A model whose results are not finite.
package struct NotFiniteError: ModelError {
  /// The quantity: "scores" or "loss".
  let what: String

  package init(what: String) { self.what = what }

  package var kind: ErrorKind { .data }
  package var message: String {
    "the model's \(what) cannot be computed: its weights contain values that are not finite"
  }
  package var hint: String? { "its training may have diverged; use an earlier model" }
}
