import Model

/// Answers inputs with a model: text with masks, or preprocessed samples.
final class MaskFiller: MaskPredictor {
  private let model: DistilBertMaskedLM
  private let tokenizer: WordPieceTokenizer
  private let options: PredictOptions
  private let sequenceLength: Int
  private let targets: [Int]?

  /// Loads the model, and judges the targets before any input is read.
  init(_ options: PredictOptions, context: CommandContext) throws {
    let model = try context.model(
      for: .predict, options.common, needsTrainedHead: !options.allowsUntrainedHead)
    guard let tokenizer = model.preprocessor?.tokenizer else { throw ModelUseError.noPreprocessor }
    self.model = model
    self.tokenizer = tokenizer
    self.options = options
    sequenceLength = try context.sequenceLength(options.common, for: model)
    do {
      // Rows of the model that no word piece stands for cannot be an answer.
      let pieces = tokenizer.vocabulary.count
      let all = pieces < model.configuration.vocabularySize ? Array(0..<pieces) : nil
      targets = options.targets.isEmpty ? all : try tokenizer.targets(options.targets)
    } catch {
      throw UsageError(error.message, hint: error.hint)
    }
  }

  /// An input as it goes to the model, or what becomes of it without.
  private enum Prepared {
    case text(MaskedText)
    case sample(Sample)
    case answered(MaskAnswer)
  }

  func answers(to inputs: [InputLine], in source: Inputs) throws -> [MaskAnswer] {
    let prepared = inputs.map { prepare($0, at: source.location(of: $0)) }
    let samples = prepared.compactMap { input -> Sample? in
      switch input {
      case .text(let text): text.sample
      case .sample(let sample): sample
      case .answered: nil
      }
    }
    var ranked = try model.rank(samples, topK: options.topK, targets: targets, batchRows: options.batchTokens)
      .makeIterator()
    return zip(inputs, prepared).map { input, prepared in
      switch prepared {
      case .answered(let answer): answer
      case .text(let text): answer(to: input, text, ranked.next() ?? [])
      case .sample: answer(toSample: ranked.next() ?? [])
      }
    }
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
      return .text(try MaskedText(input.bytes, tokenizer: tokenizer, sequenceLength: sequenceLength))
    } catch MaskedTextError.noMask where options.format == .fill {
      return .answered(MaskAnswer(.masks([]), filled: input.bytes))
    } catch let error as any ModelError {
      return .answered(MaskAnswer(.failed(error)))
    } catch {
      return .answered(MaskAnswer(.failed(UnexpectedError(text: "\(error)"))))
    }
  }

  private func answer(to input: InputLine, _ text: MaskedText, _ ranked: [[TokenScore]]) -> MaskAnswer {
    if let broken = Self.brokenScores(ranked) { return broken }
    let masks = zip(text.masks, ranked).map { mask, candidates in
      candidates.map { candidate in
        // Only JSON shows the sequence; elsewhere it says that there is a text.
        let sequence =
          options.format == .json
          ? MaskedText.replacing(mask, with: piece(candidate), in: input.bytes) : input.bytes
        return prediction(candidate, sequence: sequence)
      }
    }
    var filled: [UInt8]?
    if options.format == .fill {
      filled = MaskedText.replacing(text.masks, with: ranked.map { $0.first.map(piece) ?? "" }, in: input.bytes)
    }
    return MaskAnswer(.masks(masks), filled: filled, notes: text.notes)
  }

  private func answer(toSample ranked: [[TokenScore]]) -> MaskAnswer {
    Self.brokenScores(ranked) ?? MaskAnswer(.masks(ranked.map { $0.map { prediction($0, sequence: nil) } }))
  }

  /// The answer of a model whose scores are no numbers.
  private static func brokenScores(_ ranked: [[TokenScore]]) -> MaskAnswer? {
    ranked.contains { $0.contains { !$0.probability.isFinite } }
      ? MaskAnswer(.failed(NotFiniteError(what: "scores"))) : nil
  }

  private func piece(_ candidate: TokenScore) -> String { tokenizer.vocabulary.piece(candidate.token) }

  private func prediction(_ candidate: TokenScore, sequence: [UInt8]?) -> MaskPrediction {
    MaskPrediction(
      score: candidate.probability, token: Int32(truncatingIfNeeded: candidate.token), tokenString: piece(candidate),
      sequence: sequence)
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
