/// Some of the samples of a corpus. Each keeps its place in the whole, and with it its masks.
public final class CorpusSubset: SampleSource {
  /// The whole.
  public let base: any SampleSource
  private let places: SpillableArray

  /// - Parameter places: the samples' places in the whole, ascending.
  init(of base: any SampleSource, places: SpillableArray) {
    self.base = base
    self.places = places
  }

  public var count: Int { places.count }

  /// The place of a sample in the whole.
  public func place(of index: Int) throws -> Int {
    guard index >= 0, index < count else { throw PreprocessorError.noSuchSample(index: index, count: count) }
    return Int(truncatingIfNeeded: try places.value(at: index))
  }

  public func sample(_ index: Int, epoch: Int) throws -> Sample {
    try base.sample(try place(of: index), epoch: epoch)
  }

  /// Two disjoint parts that make up the whole, with no line in common.
  /// - Parameters:
  ///   - forEachSample: calls its argument for each sample in order, with whether it is of the same line as the one
  ///     before; such stay together.
  static func split(
    _ base: any SampleSource, by split: LineSplit, temporaryDirectory: String,
    forEachSample: ((_ continuesLine: Bool) throws -> Void) throws -> Void
  ) throws -> (train: CorpusSubset, validation: CorpusSubset) {
    let (train, validation) = (
      SpillableArray(temporaryDirectory: temporaryDirectory), SpillableArray(temporaryDirectory: temporaryDirectory)
    )
    var (place, line) = (UInt64(0), -1)
    try forEachSample { continuesLine in
      if !continuesLine { line += 1 }
      try (split.isValidation(line) ? validation : train).append(place)
      place += 1
    }
    return (CorpusSubset(of: base, places: train), CorpusSubset(of: base, places: validation))
  }
}
