import Files

/// What a model answers to one text, one pair or one preprocessed sample: the most likely words of its masks.
public struct MaskedTextPrediction: Sendable, Equatable {
  /// A word that may replace a mask.
  public struct Candidate: Sendable, Equatable {
    /// The ids of its word pieces: one, unless it is a target of several.
    public let tokens: [Int]
    /// The spelling of the word piece, `##` included; of a target of several word pieces, the word.
    public let piece: String
    /// Softmax over the whole vocabulary; of several word pieces, the product of theirs.
    public let probability: Float

    /// The id of its only word piece; nil where there are several.
    public var token: Int? { tokens.count == 1 ? tokens[0] : nil }
  }

  /// Words that may replace all masks of a text together.
  public struct Filling: Sendable, Equatable {
    /// The id of a word piece for each mask.
    public let tokens: [Int]
    /// Their spellings, `##` included.
    public let pieces: [String]
    /// The product of each piece's probability, given the text and the pieces filled in before it.
    public let probability: Float
  }

  /// [mask][rank], best first; each mask by itself, with the others left in place. Empty where the masks were filled jointly.
  public let masks: [[Candidate]]
  /// [rank], best first: all masks together; nil where each was filled by itself.
  public let fillings: [Filling]?
  /// What was noticed, one line each, such as that the text was cut to a window.
  public let notes: [String]
  /// The bytes of the segments.
  package let texts: [[UInt8]]
  /// [segment][mask]: where the masks stand, in bytes. Empty for a preprocessed sample.
  package let places: [[Range<Int>]]

  init(_ input: MaskFiller.Prepared, masks: [[Candidate]] = [], fillings: [Filling]? = nil) {
    self.masks = masks
    self.fillings = fillings
    notes = input.notes
    texts = input.segments
    places = input.places
  }

  /// The text, or the two of a pair, as they were given.
  public var segments: [String] { texts.map { String(decoding: $0, as: UTF8.self) } }

  /// The segments with each mask replaced by its best word (without its `##`), and otherwise unchanged. A mask for which there is no
  /// candidate stays.
  public var filled: [String] { filledTexts().map { String(decoding: $0, as: UTF8.self) } }

  /// The same in bytes.
  ///
  /// - Parameter spelling: how a word piece is written into the text.
  package func filledTexts(_ spelling: (String) -> String = { $0 }) -> [[UInt8]] {
    if let fillings { return fillings.first.map { texts(filledWith: $0, spelling) } ?? texts }
    return replacing(masks.map { $0.first.map { spelling($0.piece) } })
  }

  /// The segments with all masks replaced, in bytes.
  package func texts(filledWith filling: Filling, _ spelling: (String) -> String = { $0 }) -> [[UInt8]] {
    replacing(filling.pieces.map { spelling($0) })
  }

  /// The segments with one mask replaced, in bytes.
  package func texts(fillingMask mask: Int, with candidate: Candidate) -> [[UInt8]] {
    replacing(masks.indices.map { $0 == mask ? candidate.piece : nil })
  }

  /// - Parameter pieces: for each mask what replaces it; nil: it stays.
  private func replacing(_ pieces: [String?]) -> [[UInt8]] {
    var pieces = pieces[...]
    return zip(texts, places).map { text, places in
      let replaced = zip(places, pieces).compactMap { place, piece in piece.map { (place, $0) } }
      pieces = pieces.dropFirst(places.count)
      return MaskedText.replacing(replaced.map(\.0), with: replaced.map(\.1), in: text)
    }
  }
}

/// A text that has no answer, among others that have.
public struct PredictionError: ModelError, Equatable {
  /// Its place among the texts, from 0.
  public let index: Int
  /// What is wrong with it.
  public let cause: MaskedTextError

  public var kind: ErrorKind { .data }
  /// One line.
  public var message: String { "text \(index): \(cause.message)" }
  /// What to do about it.
  public var hint: String? { cause.hint }
}
