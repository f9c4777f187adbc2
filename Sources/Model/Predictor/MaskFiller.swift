/// Fills masks with one model and one question: of texts, pairs and preprocessed samples, one at a time or many together.
///
///     let filler = try MaskFiller(model, MaskFiller.Question(topK: 3))
///     let answers = try filler.answers(to: texts.map { try filler.prepare($0) })
///
/// An input is prepared by itself, so that one that has no answer does not end the others. The figures of an input do not depend
/// on what it is computed together with.
package struct MaskFiller {
  /// What is asked of every input.
  package struct Question: Sendable {
    /// Candidates per mask, or fillings per input.
    package var topK: Int
    /// The words to choose from, of one word piece or several; nil: any word piece.
    package var targets: [String]?
    /// Whether the masks of an input are filled together (see `fillJointly`).
    package var isJoint: Bool
    /// Less probable candidates are left out.
    package var minimumProbability = 0.0
    /// Whether word pieces that continue a word are left out.
    package var excludesContinuations = false
    /// Whether a mask may become several, for targets of several word pieces. Masks that are filled together do not.
    package var expandsMasks = true
    /// The most tokens of a text, [CLS] and [SEP] included; nil: as the preprocessor and the model have it.
    package var sequenceLength: Int?
    /// The most tokens that a thread computes together; nil: chosen.
    package var batchRows: Int?
    /// Which special tokens are found in texts; nil: as the preprocessor has it. `[MASK]` is the mask in any case.
    package var specialTokensInText: WordPieceTokenizer.SpecialTokensInText?

    package init(topK: Int = 5, targets: [String]? = nil, isJoint: Bool = false) {
      self.topK = max(0, topK)
      self.targets = targets
      self.isJoint = isJoint
    }
  }

  /// What a mask may become.
  private enum Choice {
    /// One of these word pieces; nil: any.
    case pieces([Int]?)
    /// One of these words, some of them of several word pieces.
    case words([TargetWord])
  }

  private let model: DistilBertMaskedLM
  private let preprocessor: DistilBertMaskedLMPreprocessor
  private let question: Question
  private let choice: Choice
  /// The most tokens of a prepared text: words of several pieces take more room than the mask that they replace.
  private let sequenceLength: Int
  private let specialTokensInText: WordPieceTokenizer.SpecialTokensInText

  private var tokenizer: WordPieceTokenizer { preprocessor.tokenizer }

  /// - Throws: `ModelUseError` for a target that cannot be ranked, and where the model has no preprocessor.
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
      // Rows of the model that no word piece stands for cannot be an answer.
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

  /// An input as the model takes it.
  package struct Prepared: Sendable {
    /// The text, the two of a pair; none for a sample.
    let segments: [[UInt8]]
    let sample: Sample
    /// [segment][mask], in bytes.
    let places: [[Range<Int>]]
    let notes: [String]
  }

  /// A text; bytes that are not UTF-8 are read as U+FFFD. Of one that is too long the window around its masks is taken.
  package func prepare(_ text: [UInt8]) throws(MaskedTextError) -> Prepared {
    let masked = try MaskedText(
      text, tokenizer: tokenizer, sequenceLength: sequenceLength, specialTokensInText: specialTokensInText)
    return Prepared(segments: [text], sample: masked.sample, places: [masked.masks], notes: masked.notes)
  }

  /// A pair, cut as in `fit` where it is too long; a mask must not be cut off.
  package func prepare(pair: ([UInt8], [UInt8])) throws(MaskedTextError) -> Prepared {
    let mask = tokenizer.specialTokens.mask
    let segments = [pair.0, pair.1]
    let encodings = segments.map { segment in
      segment.withUnsafeBufferPointer {
        tokenizer.encodeWithOffsets($0, specialTokensInText: specialTokensInText)
      }
    }
    let places = zip(encodings, segments).map { encoding, segment in
      encoding.ids.indices.filter { encoding.ids[$0] == mask }
        .map { MaskedText.withoutBlanks(encoding.offsets[$0], in: segment) }
    }
    let count = places.reduce(0) { $0 + $1.count }
    guard count > 0 else { throw .noMask(maskToken: tokenizer.specialTokens.names.mask, written: nil) }
    var packer = preprocessor.packer
    packer.sequenceLength = sequenceLength
    let needed = encodings.reduce(3) { $0 + $1.ids.count }
    guard let ids = try? packer.pack(encodings.map(\.ids)), ids.count(where: { $0 == mask }) == count else {
      throw .masksTooFarApart(tokens: needed, sequenceLength: sequenceLength)
    }
    let sample = Sample(tokenIDs: ids, maskPositions: ids.indices.filter { ids[$0] == mask }.map { Int32($0) })
    let notes = needed > ids.count ? ["a pair of \(needed) tokens was cut to \(ids.count)"] : []
    return Prepared(segments: segments, sample: sample, places: places, notes: notes)
  }

  /// A preprocessed sample, whose mask positions are asked for.
  package func prepare(_ sample: Sample) -> Prepared {
    Prepared(segments: [], sample: sample, places: [], notes: [])
  }

  // MARK: Answers

  /// What became of an input.
  package typealias Answer = Result<MaskedTextPrediction, MaskedTextError>

  /// The answers to inputs, in their order.
  ///
  /// - Throws: `PreprocessorError` for a sample that does not fit the model; `ModelUseError.inUse`; `CancellationError`.
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

  /// The answers to inputs of which some could not be prepared.
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
