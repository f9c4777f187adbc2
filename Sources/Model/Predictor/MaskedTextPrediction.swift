import Files

/// The answer to one text, one pair or one preprocessed sample: the most likely words for its masks.
public struct MaskedTextPrediction: Sendable, Equatable {
  /// A candidate word for a mask.
  public struct Candidate: Sendable, Equatable {
    /// The ids of its word pieces: one, except for a target of several word pieces.
    public let tokens: [Int]
    /// The spelling of the word piece, including `##`; the word, for a target of several word pieces.
    public let piece: String
    /// The softmax over the whole vocabulary; for several word pieces, the product of their probabilities.
    public let probability: Float

    /// The id of its only word piece; nil if there are several.
    public var token: Int? { tokens.count == 1 ? tokens[0] : nil }
  }

  /// One candidate for all masks of a text together.
  public struct Filling: Sendable, Equatable {
    /// The id of one word piece per mask.
    public let tokens: [Int]
    /// Their spellings, including `##`.
    public let pieces: [String]
    /// The product of each piece's probability, given the text and the pieces filled in before it.
    public let probability: Float
  }

  /// The candidates for each mask, best first: [mask][rank]. Each mask is filled alone, while the others stay. Empty if
  /// the masks were filled jointly.
  public let masks: [[Candidate]]
  /// The candidates for all masks together, best first; nil if each mask was filled alone.
  public let fillings: [Filling]?
  /// Notes, one line each; for example, the text was cut to a window.
  public let notes: [String]
  /// The bytes of the segments.
  package let texts: [[UInt8]]
  /// The byte ranges of the masks: [segment][mask]. Empty for a preprocessed sample.
  package let places: [[Range<Int>]]

  init(_ input: MaskFiller.Prepared, masks: [[Candidate]] = [], fillings: [Filling]? = nil) {
    self.masks = masks
    self.fillings = fillings
    notes = input.notes
    texts = input.segments
    places = input.maskRanges
  }

  /// The text, or the two texts of a pair, unchanged.
  public var segments: [String] { texts.map { String(decoding: $0, as: UTF8.self) } }

  /// The segments with each mask replaced by its best word (without `##`). Masks without a candidate stay.
  public var filled: [String] { filledTexts().map { String(decoding: $0, as: UTF8.self) } }

  /// Returns the segments with each mask replaced by its best word, in bytes.
  ///
  /// - Parameter spelling: maps a word piece to its spelling in the text.
  package func filledTexts(_ spelling: (String) -> String = { $0 }) -> [[UInt8]] {
    if let fillings { return fillings.first.map { texts(filledWith: $0, spelling) } ?? texts }
    return replacing(masks.map { $0.first.map { spelling($0.piece) } })
  }

  /// Returns the segments with all masks replaced, in bytes.
  package func texts(filledWith filling: Filling, _ spelling: (String) -> String = { $0 }) -> [[UInt8]] {
    replacing(filling.pieces.map { spelling($0) })
  }

  /// Returns the segments with one mask replaced, in bytes.
  package func texts(fillingMask mask: Int, with candidate: Candidate) -> [[UInt8]] {
    replacing(masks.indices.map { $0 == mask ? candidate.piece : nil })
  }

  /// - Parameter pieces: the replacement of each mask; nil: the mask stays.
  private func replacing(_ pieces: [String?]) -> [[UInt8]] {
    var pieces = pieces[...]
    return zip(texts, places).map { text, ranges in
      let replaced = zip(ranges, pieces).compactMap { range, piece in piece.map { (range, $0) } }
      pieces = pieces.dropFirst(ranges.count)
      return MaskedText.replacing(replaced.map(\.0), with: replaced.map(\.1), in: text)
    }
  }
}

/// The error of one text among several.
public struct PredictionError: ModelError, Equatable {
  /// The index of the text, from 0.
  public let index: Int
  /// The reason why it has no answer.
  public let cause: MaskedTextError

  public var kind: ErrorKind { .data }
  /// The message, in one line.
  public var message: String { "text \(index): \(cause.message)" }
  /// The remedy.
  public var hint: String? { cause.hint }
}
