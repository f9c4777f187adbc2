import Files

/// A call that the model cannot answer as it is made: the program that makes it is to be changed, not its data.
public enum ModelUseError: ModelError, Equatable {
  /// Text, for a model that was made without a preprocessor.
  case noPreprocessor
  /// Another thread computes with it; or `fit` was called by a callback of `fit`.
  case inUse
  /// A backbone that a model has been made of already.
  case backboneIsTaken
  /// A preprocessor whose vocabulary is larger than the model's.
  case vocabularyTooLarge(pieces: Int, rows: Int)
  /// A layer to freeze that the model does not have.
  case noSuchLayer(part: String, layers: Int)
  /// All of the model is to be frozen.
  case nothingLeftToTrain
  /// A target that no word pieces stand for, or with one that is not in the vocabulary.
  case unknownTarget(word: String, pieces: [String])
  /// A target of several word pieces where there is a place for one.
  case targetOfSeveralPieces(word: String, pieces: [String])
  /// A target whose word pieces leave no room for a text.
  case targetTooLong

  public var message: String {
    switch self {
    case .noPreprocessor: "the model has no preprocessor and takes preprocessed samples alone"
    case .inUse: "the model is in use: it computes one call at a time"
    case .backboneIsTaken: "the backbone belongs to another DistilBertMaskedLM already"
    case .vocabularyTooLarge(let pieces, let rows):
      "the preprocessor's vocabulary has \(pieces) word pieces, but the model \(rows) rows for them"
    case .noSuchLayer(let part, let layers):
      "cannot freeze \(part): the model has \(layers) layer\(layers == 1 ? ", 0" : "s, 0 to \(layers - 1)")"
    case .nothingLeftToTrain: "everything is frozen, and nothing is left to train"
    case .unknownTarget(let word, let pieces):
      pieces.isEmpty
        ? "the target '\(word)' has no word piece"
        : "the target '\(word)' has a part that is not in the vocabulary: \(pieces.joined(separator: " "))"
    case .targetOfSeveralPieces(let word, let pieces):
      "the target '\(word)' is not one word piece but: \(pieces.joined(separator: " "))"
    case .targetTooLong: "a target is longer than the model's sequence"
    }
  }

  public var hint: String? {
    switch self {
    case .noPreprocessor: "set `preprocessor`, or pass MaskedLMFeatures"
    case .inUse: "make the calls one after the other, or load a model for each thread"
    case .backboneIsTaken: "use that model's `backbone`, or make a new one"
    case .unknownTarget: "`tokens` of the tokenizer's ids shows the pieces of a word"
    case .targetOfSeveralPieces: "masks that are filled together take single word pieces"
    case .vocabularyTooLarge, .noSuchLayer, .nothingLeftToTrain, .targetTooLong: nil
    }
  }
}
