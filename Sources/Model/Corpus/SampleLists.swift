/// Masked samples of texts in memory, each cut to the preprocessor's length, as with KerasHub's `fit` on strings.
public final class TextList: SampleSource {
  /// Cuts and masks the texts.
  public let preprocessor: DistilBertMaskedLMPreprocessor
  /// The texts, as [sample][segment].
  public let segments: [[String]]

  /// Creates samples of several segments each: [sample][segment].
  public init(_ segments: [[String]], preprocessor: DistilBertMaskedLMPreprocessor) {
    self.segments = segments
    self.preprocessor = preprocessor
  }

  /// Creates one sample per text.
  public convenience init(_ texts: [String], preprocessor: DistilBertMaskedLMPreprocessor) {
    self.init(texts.map { [$0] }, preprocessor: preprocessor)
  }

  public var count: Int { segments.count }

  public func sample(_ index: Int, epoch: Int) throws -> Sample {
    guard segments.indices.contains(index) else {
      throw PreprocessorError.noSuchSample(index: index, count: segments.count)
    }
    return try preprocessor.sample(segments[index], epoch: epoch, index: index)
  }
}

/// Ready samples in memory, the same in every epoch.
public final class SampleList: SampleSource {
  /// The samples, in order.
  public let samples: [Sample]

  /// Creates a source of the given samples.
  public init(_ samples: [Sample]) { self.samples = samples }

  public var count: Int { samples.count }

  public func sample(_ index: Int, epoch: Int) throws -> Sample {
    guard samples.indices.contains(index) else {
      throw PreprocessorError.noSuchSample(index: index, count: samples.count)
    }
    return samples[index]
  }
}
