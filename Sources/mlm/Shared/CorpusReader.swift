import Files
import Model

/// Opens the FILEs of fit and evaluate, as text or as preprocessed samples, and prints their warnings and notes.
final class CorpusReader {
  let common: CommonOptions
  let samples: SampleOptions
  let model: DistilBertMaskedLM
  let sequenceLength: Int
  let context: CommandContext
  /// Whether the warning about [UNK] was shown, which is usually the same for training and validation text.
  private var hasWarnedOfUnknown = false

  init(_ common: CommonOptions, _ samples: SampleOptions, _ model: DistilBertMaskedLM, _ context: CommandContext) throws
  {
    self.common = common
    self.samples = samples
    self.model = model
    self.context = context
    sequenceLength = try context.sequenceLength(common, for: model)
  }

  /// Checks that the FILEs are readable, before a model is loaded or downloaded.
  static func check(_ files: [String]) throws(FileError) {
    for file in files where file != "-" { try FileError.checkReadable(file) }
  }

  /// - Parameters:
  ///   - texts: the FILEs, if they are already open.
  ///   - purpose: a prefix for notes and warnings, such as "validation".
  func open(_ files: [String], _ texts: [TextFile] = [], for purpose: String? = nil) throws -> any SampleSource {
    common.preprocessed
      ? try preprocessed(files) : try text(texts.isEmpty ? context.open(files) : texts, for: purpose)
  }

  /// Opens the FILEs and splits their samples into two parts, which depend only on the seed.
  func openSplit(
    _ files: [String], _ texts: [TextFile], validation share: Double
  ) throws -> (train: any SampleSource, validation: any SampleSource) {
    if common.preprocessed {
      let parts = try preprocessed(files).split(validation: share, seed: common.seed)
      return (parts.train, parts.validation)
    }
    return try text(texts).split(validation: share, seed: common.seed)
  }

  private func preprocessed(_ files: [String]) throws -> PreprocessedCorpus {
    try PreprocessedCorpus(
      paths: files, vocabularySize: model.configuration.vocabularySize,
      maximumLength: common.sequenceLength ?? model.configuration.maxSequenceLength,
      temporaryDirectory: context.temporaryDirectory)
  }

  private func text(_ files: [TextFile], for purpose: String? = nil) throws -> TextCorpus {
    guard let tokenizer = model.preprocessor?.tokenizer else { throw ModelUseError.noPreprocessor }
    let options = CorpusOptions(
      sequenceLength: sequenceLength, layout: samples.layout, masking: samples.masking(seed: common.seed),
      truncates: samples.truncates, isStrict: common.strict,
      specialTokensInText: common.specialTokensInText ? .all : .none,
      temporaryDirectory: context.temporaryDirectory, threads: context.threads(common))
    let corpus = try TextCorpus(files, tokenizer: tokenizer, options: options)
    for warning in corpus.warnings { context.console.warning(warning) }
    if let warning = corpus.unknownTokens.warning, !hasWarnedOfUnknown {
      context.console.warning((purpose.map { "\($0): " } ?? "") + warning)
      hasWarnedOfUnknown = true
    }
    for note in corpus.notes { context.console.note((purpose.map { "\($0): " } ?? "") + note) }
    return corpus
  }
}
