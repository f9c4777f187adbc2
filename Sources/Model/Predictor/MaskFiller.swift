/// Fills the masks of texts, pairs and preprocessed samples with one model and one question, one at a time or many
/// together.
///
///     let filler = try MaskFiller(model, MaskFiller.Question(topK: 3))
///     let answers = try filler.answers(to: texts.map { try filler.prepare($0) })
///
/// Inputs are prepared separately, so that one without an answer does not affect the others. The result for an input
/// does not depend on the other inputs.
package struct MaskFiller {
  /// The settings that apply to every input.
  package struct Question: Sendable {
    /// The number of candidates per mask, or of fillings per input.
    package var topK: Int
    /// The words to choose from, of one word piece or several; nil: any word piece.
    package var targets: [String]?
    /// Whether to fill the masks of an input together (see `fillJointly`).
    package var isJoint: Bool
    /// The lowest probability of a candidate.
    package var minimumProbability = 0.0
    /// Whether to leave out word pieces that continue a word.
    package var excludesContinuations = false
    /// Whether one mask may become several, for targets of several word pieces. Jointly filled masks never do.
    package var expandsMasks = true
    /// The most tokens of a text, including [CLS] and [SEP]; nil: the limit of the preprocessor and the model.
    package var sequenceLength: Int?
    /// The most tokens that a thread computes together; nil: the default.
    package var batchRows: Int?
    /// The special tokens that are recognized in texts; nil: those of the preprocessor. `[MASK]` is always recognized.
    package var specialTokensInText: WordPieceTokenizer.SpecialTokensInText?

    package init(topK: Int = 5, targets: [String]? = nil, isJoint: Bool = false) {
      self.topK = max(0, topK)
      self.targets = targets
      self.isJoint = isJoint
    }
  }

  /// The candidates for a mask.
  private enum Choice {
    /// These word pieces; nil: all.
    case pieces([Int]?)
    /// These words, some of which have several word pieces.
    case words([TargetWord])
  }

  private let model: DistilBertMaskedLM
  private let preprocessor: DistilBertMaskedLMPreprocessor
  private let question: Question
  private let choice: Choice
  /// The most tokens of a prepared text: words of several pieces take more room than the mask they replace.
  private let sequenceLength: Int
  private let specialTokensInText: WordPieceTokenizer.SpecialTokensInText

  private var tokenizer: WordPieceTokenizer { preprocessor.tokenizer }

  /// - Throws: `ModelUseError` if a target cannot be ranked, or if the model has no preprocessor.
  package init(_ model: DistilBertMaskedLM, _ question: Question) throws {
    guard let preprocessor = model.preprocessor else { throw ModelUseError.noPreprocessor }
    self.model = model
    self.preprocessor = preprocessor
    self.question = question
    choice = try Self.choice(question, preprocessor.tokenizer, rows: model.configuration.vocabularySize)
    var length = question.sequenceLength ?? min(preprocessor.sequenceLength, model.configuration.maxSequenceLength)
    if case .words(let words) = choice {
      length -= (words.map(\.pieces.count).max() ?? 1) - 1
      guard length >= 3 else { throw ModelUseError.targetTooLong }
    }
    sequenceLength = length
    let special = question.specialTokensInText ?? preprocessor.specialTokensInText
    specialTokensInText = special == .all ? .all : .maskOnly
  }

  private static func choice(
    _ question: Question, _ tokenizer: WordPieceTokenizer, rows: Int
  ) throws(ModelUseError) -> Choice {
    let vocabulary = tokenizer.vocabulary
    func isAllowed(_ id: Int) -> Bool { !question.excludesContinuations || !vocabulary.isContinuation(id) }
    guard let targets = question.targets else {
      // Rows of the model without a word piece cannot be an answer.
      let isAny = vocabulary.count == rows && !question.excludesContinuations
      return .pieces(isAny ? nil : (0..<vocabulary.count).filter(isAllowed))
    }
    let words = try tokenizer.targetWords(targets).filter { isAllowed($0.pieces[0]) }
    guard let long = words.first(where: { $0.pieces.count > 1 }) else { return .pieces(words.map { $0.pieces[0] }) }
    guard question.expandsMasks, !question.isJoint else {
      throw .targetOfSeveralPieces(
        word: long.text, pieces: tokenizer.tokens(long.pieces.map { Int32(truncatingIfNeeded: $0) }))
    }
    return .words(words)
  }

  // MARK: Inputs

  /// An input that is ready for the model.
  package struct Prepared: Sendable {
    /// The text, or the two texts of a pair; empty for a sample.
    let segments: [[UInt8]]
    let sample: Sample
    /// The byte ranges of the masks: [segment][mask].
    let maskRanges: [[Range<Int>]]
    let notes: [String]
  }

  /// Prepares a text. Invalid UTF-8 is read as U+FFFD. A text that is too long is cut to the window around its masks.
  package func prepare(_ text: [UInt8]) throws(MaskedTextError) -> Prepared {
    let masked = try MaskedText(
      text, tokenizer: tokenizer, sequenceLength: sequenceLength, specialTokensInText: specialTokensInText)
    return Prepared(segments: [text], sample: masked.sample, maskRanges: [masked.masks], notes: masked.notes)
  }

  /// Prepares a pair. A pair that is too long is cut as in `fit`; masks must not be cut off.
  package func prepare(pair: ([UInt8], [UInt8])) throws(MaskedTextError) -> Prepared {
    let mask = tokenizer.specialTokens.mask
    let segments = [pair.0, pair.1]
    let encodings = segments.map { segment in
      segment.withUnsafeBufferPointer {
        tokenizer.encodeWithOffsets($0, specialTokensInText: specialTokensInText)
      }
    }
    let maskRanges = zip(encodings, segments).map { encoding, segment in
      encoding.ids.indices.filter { encoding.ids[$0] == mask }
        .map { MaskedText.withoutBlanks(encoding.offsets[$0], in: segment) }
    }
    let count = maskRanges.reduce(0) { $0 + $1.count }
    guard count > 0 else { throw .noMask(maskToken: tokenizer.specialTokens.names.mask, written: nil) }
    var packer = preprocessor.packer
    packer.sequenceLength = sequenceLength
    let needed = encodings.reduce(3) { $0 + $1.ids.count }
    guard let ids = try? packer.pack(encodings.map(\.ids)), ids.count(where: { $0 == mask }) == count else {
      throw .masksTooFarApart(tokens: needed, sequenceLength: sequenceLength)
    }
    let sample = Sample(tokenIDs: ids, maskPositions: ids.indices.filter { ids[$0] == mask }.map { Int32($0) })
    let notes = needed > ids.count ? ["a pair of \(needed) tokens was cut to \(ids.count)"] : []
    return Prepared(segments: segments, sample: sample, maskRanges: maskRanges, notes: notes)
  }

  /// Prepares a preprocessed sample, whose mask positions are to be filled.
  package func prepare(_ sample: Sample) -> Prepared {
    Prepared(segments: [], sample: sample, maskRanges: [], notes: [])
  }

  // MARK: Answers

  /// The prediction for an input, or the reason for its absence.
  package typealias Answer = Result<MaskedTextPrediction, MaskedTextError>

  /// Returns the answers to inputs, in order.
  ///
  /// - Throws: `PreprocessorError` if a sample does not fit the model; `ModelUseError.inUse`; `CancellationError`.
  package func answers(to inputs: [Prepared]) throws -> [Answer] {
    if question.isJoint { return try inputs.map { try jointAnswer(to: $0) } }
    switch choice {
    case .words(let words):
      return try inputs.map { input in
        let scores = try model.score(
          words, in: input.sample, maskToken: tokenizer.specialTokens.mask, topK: question.topK,
          batchRows: question.batchRows)
        return answer(to: input, scores.map { $0.map(candidate) })
      }
    case .pieces(let pieces):
      let ranked = try model.rank(
        inputs.map(\.sample), topK: question.topK, targets: pieces, batchRows: question.batchRows)
      return zip(inputs, ranked).map { input, scores in answer(to: input, scores.map { $0.map(candidate) }) }
    }
  }

  /// Returns the answers to inputs, some of which could not be prepared.
  func answers(to inputs: [Result<Prepared, MaskedTextError>]) throws -> [Answer] {
    var answers = try answers(to: inputs.compactMap { try? $0.get() }).makeIterator()
    return inputs.compactMap { input in
      switch input {
      case .success: answers.next()
      case .failure(let error): .failure(error)
      }
    }
  }

  /// - Parameter masks: the candidates of each mask, best first.
  private func answer(to input: Prepared, _ masks: [[MaskedTextPrediction.Candidate]]) -> Answer {
    if masks.contains(where: { $0.contains { !$0.probability.isFinite } }) { return .failure(.scoresNotFinite) }
    let minimum = question.minimumProbability
    let probable = minimum > 0 ? masks.map { $0.filter { Double($0.probability) >= minimum } } : masks
    return .success(MaskedTextPrediction(input, masks: probable))
  }

  private func jointAnswer(to input: Prepared) throws -> Answer {
    let pieces: [Int]? = if case .pieces(let pieces) = choice { pieces } else { nil }
    let fillings = try model.fillJointly(
      input.sample, topK: question.topK, targets: pieces, batchRows: question.batchRows)
    if fillings.contains(where: { !$0.probability.isFinite }) { return .failure(.scoresNotFinite) }
    let probable = fillings.filter { $0.probability >= question.minimumProbability }.map { filling in
      MaskedTextPrediction.Filling(
        tokens: filling.tokens, pieces: filling.tokens.map { tokenizer.vocabulary.piece($0) },
        probability: Float(filling.probability))
    }
    return .success(MaskedTextPrediction(input, fillings: probable))
  }

  private func candidate(_ score: TokenScore) -> MaskedTextPrediction.Candidate {
    .init(
      tokens: [score.token], piece: tokenizer.vocabulary.piece(score.token), probability: score.probability)
  }

  private func candidate(_ score: WordScore) -> MaskedTextPrediction.Candidate {
    let pieces = score.word.pieces
    return .init(
      tokens: pieces, piece: pieces.count == 1 ? tokenizer.vocabulary.piece(pieces[0]) : score.word.text,
      probability: Float(score.probability))
  }
}
