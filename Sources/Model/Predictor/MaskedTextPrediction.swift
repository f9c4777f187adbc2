import Files

/// What a model answers to one text, or to one pair: the most likely word pieces of every mask.
public struct MaskedTextPrediction: Sendable, Equatable {
  /// A word piece that may stand for a mask.
  public struct Candidate: Sendable, Equatable {
    /// Its id.
    public let token: Int
    /// Its spelling, `##` included.
    public let piece: String
    /// Softmax over the whole vocabulary.
    public let probability: Float
  }

  /// The text, or the two of a pair, as they were given.
  public let segments: [String]
  /// [mask][rank], best first; each mask on its own, with the others left in place.
  public let masks: [[Candidate]]
  /// What was noticed on the way, a line each: the text was cut to a window.
  public let notes: [String]
  /// [segment][mask]: where the masks stand, in UTF-8 bytes.
  let places: [[Range<Int>]]

  /// The segments, each mask replaced by its best word piece (without its `##`), otherwise untouched.
  public var filled: [String] {
    var pieces = masks.map { $0.first?.piece ?? "" }[...]
    return zip(segments, places).map { segment, places in
      defer { pieces = pieces.dropFirst(places.count) }
      return String(
        decoding: MaskedText.replacing(places, with: Array(pieces.prefix(places.count)), in: Array(segment.utf8)),
        as: UTF8.self)
    }
  }
}

/// A text that has no answer, among others that have.
public struct PredictionError: ModelError, Equatable {
  /// Its place among the texts, from 0.
  public let index: Int
  /// What is wrong with it.
  public let cause: MaskedTextError

  /// One line.
  public var message: String { "text \(index): \(cause.message)" }
  /// What to do about it.
  public var hint: String? { cause.hint }
}
