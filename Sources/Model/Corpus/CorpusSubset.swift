/// A subset of the samples of a corpus. Each sample keeps its index in the base corpus, and therefore its masks.
public final class CorpusSubset: SampleSource {
  /// The corpus that contains all samples.
  public let base: any SampleSource
  private let baseIndices: SpillableArray

  /// - Parameter baseIndices: the samples' indices in the base corpus, ascending.
  init(of base: any SampleSource, baseIndices: SpillableArray) {
    self.base = base
    self.baseIndices = baseIndices
  }

  public var count: Int { baseIndices.count }

  /// The index of a sample in the base corpus.
  public func place(of index: Int) throws -> Int {
    guard index >= 0, index < count else { throw PreprocessorError.noSuchSample(index: index, count: count) }
    return Int(truncatingIfNeeded: try baseIndices.value(at: index))
  }

  public func sample(_ index: Int, epoch: Int) throws -> Sample {
    try base.sample(try place(of: index), epoch: epoch)
  }

  /// Splits a corpus into two disjoint parts that have no line in common.
  /// - Parameters:
  ///   - forEachSample: calls its argument for each sample in order, and tells whether the sample continues the line of
  ///     the previous one. Samples of the same line stay together.
  static func split(
    _ base: any SampleSource, by split: LineSplit, temporaryDirectory: String,
    forEachSample: ((_ continuesLine: Bool) throws -> Void) throws -> Void
  ) throws -> (train: CorpusSubset, validation: CorpusSubset) {
    let (train, validation) = (
      SpillableArray(temporaryDirectory: temporaryDirectory), SpillableArray(temporaryDirectory: temporaryDirectory)
    )
    var (index, line) = (UInt64(0), -1)
    try forEachSample { continuesLine in
      if !continuesLine { line += 1 }
      try (split.isValidation(line) ? validation : train).append(index)
      index += 1
    }
    return (CorpusSubset(of: base, baseIndices: train), CorpusSubset(of: base, baseIndices: validation))
  }
}
