import CommandLine
import Files
import Model

/// What became of one input of `predict`.
enum MaskAnswer: Sendable {
  case filled(MaskedTextPrediction)
  /// A text without a mask, with `--format fill`.
  case untouched
  case failed(any ModelError)
}

/// Answers the inputs of `predict` with a model: texts with masks, or preprocessed samples.
struct InputFiller {
  private let model: DistilBertMaskedLM
  private let filler: MaskFiller
  private let options: PredictOptions

  /// Loads the model, and judges the targets before any input is read.
  init(_ options: PredictOptions, context: CommandContext) throws {
    model = try context.model(for: .predict, options.common, needsTrainedHead: !options.allowsUntrainedHead)
    self.options = options
    filler = try Self.filler(model, options, sequenceLength: context.sequenceLength(options.common, for: model))
  }

  private static func filler(
    _ model: DistilBertMaskedLM, _ options: PredictOptions, sequenceLength: Int
  ) throws -> MaskFiller {
    var question = MaskFiller.Question(
      topK: options.topK, targets: options.targets.isEmpty ? nil : options.targets, isJoint: options.isJoint)
    question.minimumProbability = options.minimumScore
    question.excludesContinuations = options.wholeWords
    question.expandsMasks = !options.common.preprocessed
    question.sequenceLength = sequenceLength
    question.batchRows = options.batchTokens
    question.specialTokensInText = options.common.specialTokensInText ? .all : .maskOnly
    do {
      return try MaskFiller(model, question)
    } catch let error as ModelUseError {
      throw usageError(error, options) ?? error
    }
  }

  /// The error in the words of the command line; nil where its options are not the cause.
  private static func usageError(_ error: ModelUseError, _ options: PredictOptions) -> (any Error)? {
    switch error {
    case .targetOfSeveralPieces(let word, let pieces):
      UsageError.conflict(
        options.isJoint ? "--joint" : "--preprocessed", "--targets \(word)",
        why: "that word is several pieces (\(pieces.joined(separator: " "))), and there is a place for one")
    case .unknownTarget:
      UsageError(error.message, hint: "'mlm tokenize --format tokens' shows the pieces of a word")
    case .targetTooLong: UsageError(error.message)
    default: nil
    }
  }

  /// One answer per input, in order. Throws only what ends the whole run.
  func answers(to inputs: [InputLine], in source: Inputs) throws -> [MaskAnswer] {
    let prepared = inputs.map { prepare($0, at: source.location(of: $0)) }
    var answers = try filler.answers(to: prepared.compactMap { try? $0.get() }).makeIterator()
    return prepared.map { input in
      switch input {
      case .failure(MaskedTextError.noMask) where options.format == .fill: return .untouched
      case .failure(let error): return .failed(error as? any ModelError ?? UnexpectedError(text: "\(error)"))
      case .success:
        switch answers.next() {
        case .success(let prediction): return .filled(prediction)
        case .failure(let error): return .failed(error)
        case nil: return .untouched
        }
      }
    }
  }

  private func prepare(_ input: InputLine, at location: DataLocation) -> Result<MaskFiller.Prepared, any Error> {
    Result {
      guard options.common.preprocessed else { return try filler.prepare(input.bytes) }
      let sample = try PreprocessedCorpus.sample(
        line: input.bytes, vocabularySize: model.configuration.vocabularySize,
        maximumLength: options.common.sequenceLength ?? model.configuration.maxSequenceLength, at: location)
      guard !sample.maskPositions.isEmpty else { throw NoMaskPosition(location: location) }
      return filler.prepare(sample)
    }
  }
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
