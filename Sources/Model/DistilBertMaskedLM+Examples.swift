import Files

/// `fit` and `evaluate` on values in memory and on files, as in KerasHub's documentation.
extension DistilBertMaskedLM {
  // MARK: fit

  /// Trains on texts, one sample each. The preprocessor cuts and masks them, with new masks in each epoch.
  ///
  ///     try maskedLM.fit(["The quick brown fox jumped.", "I forgot my homework."], batchSize: 2)
  ///
  /// - Parameters:
  ///   - validation: texts to evaluate after each epoch, always with the same masks.
  ///   - batchSize: samples per optimizer step.
  ///   - epochs: the number of passes over the texts in this call; a further call continues with the next epoch.
  ///   - shuffles: whether each epoch has its own order, derived from the seed (Keras: `shuffle`); otherwise the order
  ///     is that of the texts.
  ///   - callbacks: called after each step and each epoch; they can stop the training.
  /// - Throws: `ModelUseError` if the model has no preprocessor or is in use; `TrainingError`; the callbacks' errors.
  @discardableResult
  public func fit(
    _ texts: [String], validation: [String]? = nil, batchSize: Int = 32, epochs: Int = 1,
    shuffles: Bool = true, callbacks: [TrainingCallback] = []
  ) throws -> TrainingOutcome {
    try fit(
      segments: texts.map { [$0] }, validation: validation?.map { [$0] }, batchSize: batchSize, epochs: epochs,
      shuffles: shuffles, callbacks: callbacks)
  }

  /// Trains on pairs of texts: `[CLS] a [SEP] b [SEP]`.
  @discardableResult
  public func fit(
    pairs: [(String, String)], validation: [(String, String)]? = nil, batchSize: Int = 32, epochs: Int = 1,
    shuffles: Bool = true, callbacks: [TrainingCallback] = []
  ) throws -> TrainingOutcome {
    try fit(
      segments: pairs.map { [$0, $1] }, validation: validation?.map { [$0, $1] }, batchSize: batchSize, epochs: epochs,
      shuffles: shuffles, callbacks: callbacks)
  }

  /// Trains on samples of any number of segments: [sample][segment].
  @discardableResult
  public func fit(
    segments: [[String]], validation: [[String]]? = nil, batchSize: Int = 32, epochs: Int = 1,
    shuffles: Bool = true, callbacks: [TrainingCallback] = []
  ) throws -> TrainingOutcome {
    try fit(
      try source(segments), validation: try validation.map { try source($0) },
      options: TrainingOptions(epochs: epochs, batchSize: batchSize, shuffles: shuffles), callbacks: callbacks)
  }

  /// Trains on preprocessed samples.
  ///
  /// - Parameters:
  ///   - labels: [sample][mask]: the original ids.
  ///   - sampleWeights: [sample][mask]: the weight of each mask in loss and accuracy, 0 for an unused slot; nil: all 1.
  /// - Throws: `PreprocessorError` with the index of a sample that does not fit the model; otherwise as `fit` on texts.
  @discardableResult
  public func fit(
    _ features: MaskedLMFeatures, labels: [[Int]], sampleWeights: [[Float]]? = nil, batchSize: Int = 32,
    epochs: Int = 1, shuffles: Bool = true, callbacks: [TrainingCallback] = []
  ) throws -> TrainingOutcome {
    try fit(
      SampleList(try samples(features, labels, sampleWeights)),
      options: TrainingOptions(epochs: epochs, batchSize: batchSize, shuffles: shuffles), callbacks: callbacks)
  }

  /// Trains on text files of any size, one sample per line; memory does not grow with them. FIFOs work too, and "-" is
  /// standard input; input that can be read only once is first copied to `temporaryDirectory`.
  ///
  /// - Parameters:
  ///   - layout: how lines become samples.
  ///   - validation: files to evaluate after each epoch.
  ///   - options: epochs, batches and order.
  /// - Throws: `FileError` and `PreprocessorError` with file and line; otherwise as `fit` on texts.
  @discardableResult
  public func fit(
    files: [String], layout: TextCorpus.Layout = .lines, validation: [String]? = nil,
    options: TrainingOptions = TrainingOptions(), temporaryDirectory: String = "/tmp",
    callbacks: [TrainingCallback] = []
  ) throws -> TrainingOutcome {
    try fit(
      try corpus(files, layout, temporaryDirectory),
      validation: try validation.map { try corpus($0, layout, temporaryDirectory) }, options: options,
      callbacks: callbacks)
  }

  // MARK: evaluate

  /// Returns loss, accuracy and perplexity of texts, one sample each, masked by the preprocessor.
  ///
  /// - Parameter reference: a model to compare with, such as the same one in float32; see `Evaluation.comparison`.
  /// - Throws: `ModelUseError` if the model has no preprocessor or is in use, or if the reference has another
  ///   vocabulary.
  public func evaluate(_ texts: [String], against reference: DistilBertMaskedLM? = nil) throws -> Evaluation {
    try evaluate(segments: texts.map { [$0] }, against: reference)
  }

  /// Evaluates pairs of texts: `[CLS] a [SEP] b [SEP]`.
  public func evaluate(pairs: [(String, String)], against reference: DistilBertMaskedLM? = nil) throws -> Evaluation {
    try evaluate(segments: pairs.map { [$0, $1] }, against: reference)
  }

  /// Evaluates samples of any number of segments: [sample][segment].
  public func evaluate(segments: [[String]], against reference: DistilBertMaskedLM? = nil) throws -> Evaluation {
    try evaluate(try source(segments), against: reference)
  }

  /// Evaluates preprocessed samples; see `fit` for `labels` and `sampleWeights`.
  public func evaluate(
    _ features: MaskedLMFeatures, labels: [[Int]], sampleWeights: [[Float]]? = nil,
    against reference: DistilBertMaskedLM? = nil
  ) throws -> Evaluation {
    try evaluate(SampleList(try samples(features, labels, sampleWeights)), against: reference)
  }

  /// Evaluates text files; see `fit(files:)`.
  public func evaluate(
    files: [String], layout: TextCorpus.Layout = .lines, temporaryDirectory: String = "/tmp",
    against reference: DistilBertMaskedLM? = nil
  ) throws -> Evaluation {
    try evaluate(try corpus(files, layout, temporaryDirectory), against: reference)
  }

  // MARK: Sources

  func samples(
    _ features: MaskedLMFeatures, _ labels: [[Int]]?, _ weights: [[Float]]?
  ) throws(PreprocessorError) -> [Sample] {
    try features.samples(
      labels: labels, sampleWeights: weights, vocabularySize: configuration.vocabularySize,
      maximumLength: configuration.maxSequenceLength)
  }

  private func source(_ segments: [[String]]) throws(ModelUseError) -> TextList {
    guard let preprocessor else { throw .noPreprocessor }
    return TextList(segments, preprocessor: preprocessor)
  }

  private func corpus(_ files: [String], _ layout: TextCorpus.Layout, _ temporaryDirectory: String) throws -> TextCorpus
  {
    guard let preprocessor else { throw ModelUseError.noPreprocessor }
    let options = CorpusOptions(
      sequenceLength: preprocessor.sequenceLength, layout: layout, masking: preprocessor.masking,
      specialTokensInText: preprocessor.specialTokensInText, temporaryDirectory: temporaryDirectory, threads: threads)
    return try TextCorpus(paths: files, tokenizer: preprocessor.tokenizer, options: options)
  }
}
