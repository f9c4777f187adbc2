/// `fit`, `evaluate` and `predict` on values in memory, as on KerasHub's page.
extension DistilBertMaskedLM {
  /// Trains on texts, one sample each; the preprocessor cuts and masks them.
  public func fit(_ texts: [String], batchSize: Int = 32, epochs: Int = 1) throws {
    try fit(try source(texts), options: TrainingOptions(epochs: epochs, batchSize: batchSize, shuffles: false))
  }

  /// Trains on preprocessed samples; `labels`: [sample][mask], `sampleWeights` the same (default: all 1).
  public func fit(
    _ features: MaskedLMFeatures, labels: [[Int]], sampleWeights: [[Float]]? = nil, batchSize: Int = 32, epochs: Int = 1
  ) throws {
    let source = SampleList(try samples(features, labels, sampleWeights))
    try fit(source, options: TrainingOptions(epochs: epochs, batchSize: batchSize, shuffles: false))
  }

  public func evaluate(_ texts: [String]) throws -> Evaluation { try evaluate(try source(texts)) }

  public func evaluate(
    _ features: MaskedLMFeatures, labels: [[Int]], sampleWeights: [[Float]]? = nil
  ) throws -> Evaluation {
    try evaluate(SampleList(try samples(features, labels, sampleWeights)))
  }

  /// The scores of the vocabulary at each mask position: [sample][mask][vocabulary].
  public func predict(_ features: MaskedLMFeatures) throws -> [[[Float]]] {
    collect(try samples(features, nil, nil), batchRows: nil) { Array(UnsafeBufferPointer(start: $0, count: $1)) }
  }

  private func samples(
    _ features: MaskedLMFeatures, _ labels: [[Int]]?, _ weights: [[Float]]?
  ) throws(PreprocessorError) -> [Sample] {
    try features.samples(
      labels: labels, sampleWeights: weights, vocabularySize: configuration.vocabularySize,
      maximumLength: configuration.maxSequenceLength)
  }

  private func source(_ texts: [String]) throws(ModelUseError) -> TextList {
    guard let preprocessor else { throw .noPreprocessor }
    return TextList(texts, preprocessor: preprocessor)
  }
}

/// A model asked for what it was not made for.
public enum ModelUseError: ModelError, Equatable {
  case noPreprocessor

  public var message: String { "the model has no preprocessor and takes preprocessed samples alone" }
  public var hint: String? { "set `preprocessor`, or pass MaskedLMFeatures" }
}
