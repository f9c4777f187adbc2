import Files
import Model

/// Answers inputs with a model: text with masks, or preprocessed samples.
final class MaskFiller: MaskPredictor {
  private let model: DistilBertMaskedLM
  private let tokenizer: WordPieceTokenizer
  private let options: PredictOptions
  private let sequenceLength: Int
  private let choice: Choice

  /// What may be put in.
  private enum Choice {
    /// A word piece of these; nil for any.
    case pieces([Int]?)
    /// Words, some of them of several pieces.
    case words([TargetWord])
  }

  /// Loads the model, and judges the targets before any input is read.
  init(_ options: PredictOptions, context: CommandContext) throws {
    let model = try context.model(
      for: .predict, options.common, needsTrainedHead: !options.allowsUntrainedHead)
    guard let tokenizer = model.preprocessor?.tokenizer else { throw ModelUseError.noPreprocessor }
    self.model = model
    self.tokenizer = tokenizer
    self.options = options
    choice = try Self.choice(options, tokenizer, rows: model.configuration.vocabularySize)
    // A word of several pieces takes more room than the mask that it stands in.
    var length = try context.sequenceLength(options.common, for: model)
    if case .words(let words) = choice {
      length -= (words.map(\.pieces.count).max() ?? 1) - 1
      guard length >= 3 else { throw UsageError("a target is longer than the model's sequence") }
    }
    sequenceLength = length
  }

  private static func choice(
    _ options: PredictOptions, _ tokenizer: WordPieceTokenizer, rows: Int
  ) throws(UsageError) -> Choice {
    let vocabulary = tokenizer.vocabulary
    func isAllowed(_ id: Int) -> Bool { !options.wholeWords || !vocabulary.isContinuation(id) }
    guard !options.targets.isEmpty else {
      // Rows of the model that no word piece stands for cannot be an answer.
      let isAny = vocabulary.count == rows && !options.wholeWords
      return .pieces(isAny ? nil : (0..<vocabulary.count).filter(isAllowed))
    }
    let words: [TargetWord]
    do {
      words = try tokenizer.targetWords(options.targets)
    } catch {
      throw UsageError(error.message, hint: error.hint)
    }
    let allowed = words.filter { isAllowed($0.pieces[0]) }
    guard let long = allowed.first(where: { $0.pieces.count > 1 }) else { return .pieces(allowed.map { $0.pieces[0] }) }
    let pieces = tokenizer.tokens(long.pieces.map { Int32(truncatingIfNeeded: $0) }).joined(separator: " ")
    let place = options.isJoint ? "--joint" : options.common.preprocessed ? "--preprocessed" : nil
    if let place {
      throw .conflict(
        place, "--targets \(long.text)", why: "that word is several pieces (\(pieces)), and there is a place for one")
    }
    return .words(allowed)
  }

  /// An input as it goes to the model, or what becomes of it without.
  private enum Prepared {
    case text(MaskedText)
    case sample(Sample)
    case answered(MaskAnswer)

    var sample: Sample? {
      switch self {
      case .text(let text): text.sample
      case .sample(let sample): sample
      case .answered: nil
      }
    }
  }

  func answers(to inputs: [InputLine], in source: Inputs) throws -> [MaskAnswer] {
    let prepared = inputs.map { prepare($0, at: source.location(of: $0)) }
    if options.isJoint { return try zip(inputs, prepared).map { try jointAnswer(to: $0, $1) } }
    switch choice {
    case .words(let words): return try zip(inputs, prepared).map { try answer(to: $0, $1, words) }
    case .pieces(let pieces):
      var ranked = try model.rank(
        prepared.compactMap(\.sample), topK: options.topK, targets: pieces, batchRows: options.batchTokens
      ).makeIterator()
      return zip(inputs, prepared).map { input, prepared in
        switch prepared {
        case .answered(let answer): answer
        case .text(let text): answer(to: input, text, (ranked.next() ?? []).map { $0.map(prediction) })
        case .sample: answer(toSample: (ranked.next() ?? []).map { $0.map(prediction) })
        }
      }
    }
  }

  /// Words of any number of pieces, input by input: each has samples of its own.
  private func answer(to input: InputLine, _ prepared: Prepared, _ words: [TargetWord]) throws -> MaskAnswer {
    switch prepared {
    case .answered(let answer): return answer
    case .sample: return MaskAnswer(.masks([]))
    case .text(let text):
      let scores = try model.score(
        words, in: text.sample, maskToken: tokenizer.specialTokens.mask, topK: options.topK,
        batchRows: options.batchTokens)
      return answer(to: input, text, scores.map { $0.map(prediction) })
    }
  }

  private func jointAnswer(to input: InputLine, _ prepared: Prepared) throws -> MaskAnswer {
    let (sample, text): (Sample, MaskedText?)
    switch prepared {
    case .answered(let answer): return answer
    case .sample(let only): (sample, text) = (only, nil)
    case .text(let masked): (sample, text) = (masked.sample, masked)
    }
    let pieces: [Int]? = if case .pieces(let pieces) = choice { pieces } else { nil }
    let fillings = try model.fillJointly(
      sample, topK: options.topK, targets: pieces, batchRows: options.batchTokens)
    if fillings.contains(where: { !$0.probability.isFinite }) { return Self.broken }
    let predictions = fillings.filter { $0.probability >= options.minimumScore }.map { filling in
      let strings = filling.tokens.map { tokenizer.vocabulary.piece($0) }
      return JointPrediction(
        score: Float(filling.probability), tokens: filling.tokens.map { Int32(truncatingIfNeeded: $0) },
        tokenStrings: strings,
        sequence: text.map { MaskedText.replacing($0.masks, with: strings.map(inText), in: input.bytes) })
    }
    return MaskAnswer(
      .fillings(predictions), at: text?.masks ?? [], filled: predictions.first?.sequence, notes: text?.notes ?? [])
  }

  private func prepare(_ input: InputLine, at location: DataLocation) -> Prepared {
    do {
      if options.common.preprocessed {
        let sample = try PreprocessedCorpus.sample(
          line: input.bytes, vocabularySize: model.configuration.vocabularySize,
          maximumLength: options.common.sequenceLength ?? model.configuration.maxSequenceLength, at: location)
        guard !sample.maskPositions.isEmpty else { throw NoMaskPosition(location: location) }
        return .sample(sample)
      }
      return .text(
        try MaskedText(
          input.bytes, tokenizer: tokenizer, sequenceLength: sequenceLength,
          specialTokensInText: options.common.specialTokensInText ? .all : .maskOnly))
    } catch MaskedTextError.noMask where options.format == .fill {
      return .answered(MaskAnswer(.masks([]), filled: input.bytes))
    } catch let error as any ModelError {
      return .answered(MaskAnswer(.failed(error)))
    } catch {
      return .answered(MaskAnswer(.failed(UnexpectedError(text: "\(error)"))))
    }
  }

  /// - Parameter predictions: for each mask, best first.
  private func answer(to input: InputLine, _ text: MaskedText, _ predictions: [[MaskPrediction]]) -> MaskAnswer {
    guard let good = good(predictions) else { return Self.broken }
    let masks = zip(text.masks, good).map { mask, candidates in
      candidates.map { candidate in
        var candidate = candidate
        // Only JSON shows it.
        if options.format == .json {
          candidate.sequence = MaskedText.replacing(mask, with: inText(candidate.tokenString), in: input.bytes)
        }
        return candidate
      }
    }
    var filled: [UInt8]?
    if options.format == .fill {
      // A mask that nothing is good enough for stays.
      let best = zip(text.masks, good).compactMap { mask, candidates in
        candidates.first.map { (mask, inText($0.tokenString)) }
      }
      filled = MaskedText.replacing(best.map(\.0), with: best.map(\.1), in: input.bytes)
    }
    return MaskAnswer(.masks(masks), at: text.masks, filled: filled, notes: text.notes)
  }

  /// A piece as it is put into a text: with --format fill the text is printed as it is, which a control character must not break.
  private func inText(_ piece: String) -> String { options.format == .fill ? Printable.text(piece) : piece }

  private func answer(toSample predictions: [[MaskPrediction]]) -> MaskAnswer {
    good(predictions).map { MaskAnswer(.masks($0)) } ?? Self.broken
  }

  /// Those that are probable enough; nil where the scores are no numbers.
  private func good(_ predictions: [[MaskPrediction]]) -> [[MaskPrediction]]? {
    if predictions.contains(where: { $0.contains { !$0.score.isFinite } }) { return nil }
    guard options.minimumScore > 0 else { return predictions }
    return predictions.map { $0.filter { Double($0.score) >= options.minimumScore } }
  }

  /// The answer of a model whose scores are no numbers.
  private static var broken: MaskAnswer { MaskAnswer(.failed(NotFiniteError(what: "scores"))) }

  private func prediction(_ candidate: TokenScore) -> MaskPrediction {
    MaskPrediction(
      score: candidate.probability, tokens: [Int32(truncatingIfNeeded: candidate.token)],
      tokenString: tokenizer.vocabulary.piece(candidate.token))
  }

  private func prediction(_ candidate: WordScore) -> MaskPrediction {
    let pieces = candidate.word.pieces.map { Int32(truncatingIfNeeded: $0) }
    let isPiece = pieces.count == 1
    return MaskPrediction(
      score: Float(candidate.probability), tokens: pieces,
      tokenString: isPiece ? tokenizer.vocabulary.piece(candidate.word.pieces[0]) : candidate.word.text)
  }
}

/// A model that gives no numbers.
struct NotFiniteError: ModelError {
  /// "scores", "loss".
  let what: String
  var message: String { "the model's \(what) cannot be computed: its weights hold values that are not finite" }
  var hint: String? { "the training that made it may have diverged; take an earlier model" }
}

/// A preprocessed sample that asks for nothing.
private struct NoMaskPosition: ModelError {
  let location: DataLocation?
  var message: String { "the sample has no mask position of a non-zero weight" }
}

/// An error that the library should have described.
private struct UnexpectedError: ModelError {
  let text: String
  var message: String { text }
}
