/// Texts in memory as masked samples, each cut to the preprocessor's length, as KerasHub's `fit` on strings does.
public final class TextList: SampleSource {
  /// What cuts and masks them.
  public let preprocessor: DistilBertMaskedLMPreprocessor
  /// [sample][segment]
  public let segments: [[String]]

  /// Samples of several segments each: [sample][segment].
  public init(_ segments: [[String]], preprocessor: DistilBertMaskedLMPreprocessor) {
    self.segments = segments
    self.preprocessor = preprocessor
  }

  /// Texts, one sample each.
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

/// Samples in memory that are ready as they are: every epoch the same.
public final class SampleList: SampleSource {
  /// In their order.
  public let samples: [Sample]

  /// Samples as they are.
  public init(_ samples: [Sample]) { self.samples = samples }

  public var count: Int { samples.count }

  public func sample(_ index: Int, epoch: Int) throws -> Sample {
    guard samples.indices.contains(index) else {
      throw PreprocessorError.noSuchSample(index: index, count: samples.count)
    }
    return samples[index]
  }
}
