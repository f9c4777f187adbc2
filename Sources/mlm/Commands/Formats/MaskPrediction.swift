import Files
import Model

/// One candidate for one mask, as it is printed.
struct MaskPrediction: Sendable, Equatable {
  /// Softmax over the whole vocabulary; for several word pieces, the product of theirs.
  var score: Float
  /// One, but for a target of several word pieces.
  var tokens: [Int32]
  /// With `##` for a continuation; of a target of several word pieces, the word.
  var tokenString: String
  /// The input with this mask replaced, for `--format json`; nil where that was not asked for, and for preprocessed samples.
  var sequence: [UInt8]?
}

/// One way to fill all masks of an input, as it is printed.
struct JointPrediction: Sendable, Equatable {
  /// Of the whole filling.
  var score: Float
  /// A piece for each mask.
  var tokens: [Int32]
  var tokenStrings: [String]
  /// The input with all masks replaced; nil for preprocessed samples.
  var sequence: [UInt8]?
}

/// What became of one input.
struct MaskAnswer: Sendable {
  enum Result: Sendable {
    /// Candidates for each mask, best first.
    case masks([[MaskPrediction]])
    /// Candidates for all masks together, best first.
    case fillings([JointPrediction])
    case failed(any ModelError)
  }

  var result: Result
  /// Where the masks stand in the input, in bytes; empty for preprocessed samples, which have no text.
  var places: [Range<Int>]
  /// The input with every mask replaced by its best word, for `--format fill`; nil where that was not asked for.
  var filled: [UInt8]?
  /// What was noticed on the way: "line cut to the window around its mask".
  var notes: [String]

  init(_ result: Result, at places: [Range<Int>] = [], filled: [UInt8]? = nil, notes: [String] = []) {
    self.result = result
    self.places = places
    self.filled = filled
    self.notes = notes
  }
}

/// Fills masks; what `predict` needs of the model.
protocol MaskPredictor: AnyObject {
  /// One answer per input, in order. Throws only what ends the whole run.
  func answers(to inputs: [InputLine], in source: Inputs) throws -> [MaskAnswer]
}
