import CommandLine
import Files
import Model

/// The result of one input of `predict`.
enum MaskAnswer: Sendable {
  case filled(MaskedTextPrediction)
  /// A text without a mask, with `--format fill`.
  case untouched
  case failed(any ModelError)
}

/// Answers the inputs of `predict`, which are texts with masks or preprocessed samples, with a model.
struct InputFiller {
  private let model: DistilBertMaskedLM
  private let filler: MaskFiller
  private let options: PredictOptions

  /// Loads the model and checks the targets before any input is read.
  init(_ options: PredictOptions, context: CommandContext) throws {
    model = try context.model(
      for: .predict, options.common, options.computation, needsTrainedHead: !options.allowsUntrainedHead
    ).model
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

  /// The error in terms of the command line; nil if its options are not the cause.
  private static func usageError(_ error: ModelUseError, _ options: PredictOptions) -> (any Error)? {
    switch error {
    case .targetOfSeveralPieces(let word, let pieces):
      UsageError.conflict(
        options.isJoint ? "--joint" : "--preprocessed", "--targets \(word)",
        why: "the word has several pieces (\(pieces.joined(separator: " "))), and each mask takes one")
    case .unknownTarget, .targetTooLong: UsageError(error.message, hint: error.advice)
    default: nil
    }
  }

  /// Returns one answer per input, in order. Throws only errors that end the run.
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

/// A preprocessed sample without a mask.
private struct NoMaskPosition: ModelError {
  let location: DataLocation?
  var message: String { "the sample has no mask position with a non-zero weight" }
}

/// An error that is not a `ModelError`, which the library should not throw.
private struct UnexpectedError: ModelError {
  let text: String
  var message: String { text }
}
