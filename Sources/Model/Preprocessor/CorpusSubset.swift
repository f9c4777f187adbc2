/// Some of the samples of a corpus. Each keeps its place in the whole, and with it its masks.
public final class CorpusSubset: SampleSource {
  public let base: any SampleSource
  /// The samples' places in the whole, ascending.
  public let indices: [Int]

  public init(of base: any SampleSource, indices: [Int]) {
    self.base = base
    self.indices = indices
  }

  public var count: Int { indices.count }

  public func sample(_ index: Int, epoch: Int) throws -> Sample {
    guard indices.indices.contains(index) else {
      throw PreprocessorError.noSuchSample(index: index, count: indices.count)
    }
    return try base.sample(indices[index], epoch: epoch)
  }

  /// Two disjoint parts that make up the whole. Of n lines, round(fraction · n) go to validation, at least one and not
  /// all, every choice equally likely.
  /// - Parameter continuesLine: whether a sample is of the same line as the one before; such stay together.
  static func split(
    _ base: any SampleSource, validation fraction: Double, seed: UInt64, continuesLine: (Int) -> Bool
  ) throws(PreprocessorError) -> (train: CorpusSubset, validation: CorpusSubset) {
    guard fraction > 0, fraction < 1 else { throw .fractionOutOfRange(fraction) }
    var lines = 0
    for index in 0..<base.count where index == 0 || !continuesLine(index) { lines += 1 }
    guard lines >= 2 else { throw .tooFewLinesToSplit(lines: lines) }

    var needed = min(max(Int((fraction * Double(lines)).rounded()), 1), lines - 1)
    var left = lines
    var draws = RandomStream(seed: seed, purpose: .validationSplit)
    var (train, validation) = ([Int](), [Int]())
    var isValidation = false
    for index in 0..<base.count {
      if index == 0 || !continuesLine(index) {
        isValidation = draws.below(left) < needed
        if isValidation { needed -= 1 }
        left -= 1
      }
      if isValidation { validation.append(index) } else { train.append(index) }
    }
    return (CorpusSubset(of: base, indices: train), CorpusSubset(of: base, indices: validation))
  }
}
