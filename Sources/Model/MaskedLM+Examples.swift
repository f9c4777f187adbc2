import Files

/// `fit` and `evaluate` on values in memory and on files, as on KerasHub's page.
extension DistilBertMaskedLM {
  // MARK: fit

  /// Trains on texts, one sample each. The preprocessor cuts and masks them, with other masks in each epoch.
  ///
  ///     try maskedLM.fit(["The quick brown fox jumped.", "I forgot my homework."], batchSize: 2)
  ///
  /// - Parameters:
  ///   - validation: texts that are evaluated after each epoch, always with the same masks.
  ///   - batchSize: samples per optimizer step.
  ///   - epochs: how many times this call goes through the texts; a further call continues with the next epoch.
  ///   - shuffles: whether each epoch has an order of its own, by the seed (Keras: `shuffle`); otherwise the order is that of the texts.
  ///   - callbacks: called after each step and each epoch; they can stop the training.
  /// - Throws: `ModelUseError` without a preprocessor, or where the model is in use; `TrainingError`; what the callbacks throw.
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
  ///   - sampleWeights: [sample][mask]: the weight of each mask in loss and accuracy, 0 for an unused slot. nil: all 1.
  /// - Throws: `PreprocessorError` with the index of a sample that does not fit the model; else as `fit` on texts.
  @discardableResult
  public func fit(
    _ features: MaskedLMFeatures, labels: [[Int]], sampleWeights: [[Float]]? = nil, batchSize: Int = 32,
    epochs: Int = 1, shuffles: Bool = true, callbacks: [TrainingCallback] = []
  ) throws -> TrainingOutcome {
    try fit(
      SampleList(try samples(features, labels, sampleWeights)),
      options: TrainingOptions(epochs: epochs, batchSize: batchSize, shuffles: shuffles), callbacks: callbacks)
  }

  /// Trains on files of text of any size, a sample a line: memory does not grow with them. A FIFO will do, and "-" is standard input;
  /// what can be read only once is copied to `temporaryDirectory` first.
  ///
  /// - Parameters:
  ///   - layout: how lines become samples.
  ///   - validation: files that are evaluated after each epoch.
  ///   - options: how long and in what portions to train.
  /// - Throws: `FileError` and `PreprocessorError` with file and line; else as `fit` on texts.
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

  /// Loss, accuracy and perplexity of texts, one sample each, masked by the preprocessor.
  ///
  /// - Throws: `ModelUseError` without a preprocessor, or where the model is in use.
  public func evaluate(_ texts: [String]) throws -> Evaluation { try evaluate(segments: texts.map { [$0] }) }

  /// The same of pairs of texts: `[CLS] a [SEP] b [SEP]`.
  public func evaluate(pairs: [(String, String)]) throws -> Evaluation {
    try evaluate(segments: pairs.map { [$0, $1] })
  }

  /// The same of samples of any number of segments: [sample][segment].
  public func evaluate(segments: [[String]]) throws -> Evaluation { try evaluate(try source(segments)) }

  /// The same of preprocessed samples; see `fit` for `labels` and `sampleWeights`.
  public func evaluate(
    _ features: MaskedLMFeatures, labels: [[Int]], sampleWeights: [[Float]]? = nil
  ) throws -> Evaluation {
    try evaluate(SampleList(try samples(features, labels, sampleWeights)))
  }

  /// The same of files of text; see `fit(files:)`.
  public func evaluate(
    files: [String], layout: TextCorpus.Layout = .lines, temporaryDirectory: String = "/tmp"
  ) throws -> Evaluation {
    try evaluate(try corpus(files, layout, temporaryDirectory))
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
