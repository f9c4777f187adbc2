import Files

/// A call that the model cannot answer. The fix is in the calling program, not in its data.
public enum ModelUseError: ModelError, Equatable {
  /// The model has no preprocessor, but the call passes text.
  case noPreprocessor
  /// Another thread computes with the model, or a callback of `fit` called `fit`.
  case inUse
  /// The backbone already belongs to a model.
  case backboneIsTaken
  /// The preprocessor's vocabulary is larger than the model's.
  case vocabularyTooLarge(pieces: Int, rows: Int)
  /// The model does not have the layer to freeze.
  case noSuchLayer(part: String, layers: Int)
  /// Training of a model that was loaded in another precision than float32.
  case reducedPrecision(Precision)
  /// Training of weights that were loaded from integers.
  case quantizedWeights
  /// The two models of a comparison have vocabularies of different sizes.
  case differentVocabularies(size: Int, reference: Int)
  /// The call would freeze the whole model.
  case nothingLeftToTrain
  /// A target has no word pieces, or one that is not in the vocabulary.
  case unknownTarget(word: String, pieces: [String])
  /// A target has several word pieces, but the mask takes one.
  case targetOfSeveralPieces(word: String, pieces: [String])
  /// A target's word pieces leave no room for a text.
  case targetTooLong

  public var message: String {
    switch self {
    case .noPreprocessor: "the model has no preprocessor: it takes only preprocessed samples"
    case .inUse: "the model is in use: it computes one call at a time"
    case .backboneIsTaken: "the backbone already belongs to another DistilBertMaskedLM"
    case .vocabularyTooLarge(let pieces, let rows):
      "the preprocessor's vocabulary has \(pieces) word pieces, but the model has only \(rows) rows for them"
    case .noSuchLayer(let part, let layers):
      "cannot freeze \(part): the model has \(layers) layer\(layers == 1 ? ", 0" : "s, 0 to \(layers - 1)")"
    case .reducedPrecision(let precision): "a model in \(precision.rawValue) cannot be trained"
    case .quantizedWeights:
      "int8 weights cannot be trained: a step changes most of them by less than the distance of two integers"
    case .differentVocabularies(let size, let reference):
      "the models' scores cannot be compared: one has \(size) word pieces, the reference \(reference)"
    case .nothingLeftToTrain: "everything is frozen: nothing is left to train"
    case .unknownTarget(let word, let pieces):
      pieces.isEmpty
        ? "the target '\(word)' has no word piece"
        : "the target '\(word)' has a part that is not in the vocabulary: \(pieces.joined(separator: " "))"
    case .targetOfSeveralPieces(let word, let pieces):
      "the target '\(word)' consists of several word pieces: \(pieces.joined(separator: " "))"
    case .targetTooLong: "a target is too long for the model's sequence length"
    }
  }

  public var hint: String? {
    switch self {
    case .noPreprocessor: "set `preprocessor`, or pass MaskedLMFeatures"
    case .inUse: "make one call at a time, or load a model for each thread"
    case .backboneIsTaken: "use that model's `backbone`, or create a new one"
    case .reducedPrecision: "load it in float32"
    case .quantizedWeights:
      "train the float32 model they come from; or save this one with float32 weights, and train that"
    case .unknownTarget: "`tokens` of the tokenizer's ids shows the pieces of a word"
    case .targetOfSeveralPieces: "masks that are filled together take single word pieces"
    case .vocabularyTooLarge, .noSuchLayer, .differentVocabularies, .nothingLeftToTrain, .targetTooLong: nil
    }
  }
}
