import Tensor

/// A random choice of validation lines: round(fraction · n) of n lines, at least one and not all. Every choice is
/// equally likely and depends on the seed alone. Takes one bit of memory per line.
struct LineSplit: Sendable {
  let lines: Int
  private var bits: [UInt64]

  init(lines: Int, fraction: Double, seed: UInt64) throws(PreprocessorError) {
    guard fraction > 0, fraction < 1 else { throw .fractionOutOfRange(fraction) }
    guard lines >= 2 else { throw .tooFewLinesToSplit(lines: lines) }
    self.lines = lines
    bits = [UInt64](repeating: 0, count: (lines + 63) / 64)
    var needed = min(max(Int((fraction * Double(lines)).rounded()), 1), lines - 1)
    var draws = RandomStream(seed: seed, purpose: .validationSplit)
    for line in 0..<lines where draws.below(lines - line) < needed {
      bits[line / 64] |= 1 << UInt64(line % 64)
      needed -= 1
    }
  }

  /// - Parameter line: counted from 0, without lines that contain only white space.
  func isValidation(_ line: Int) -> Bool { bits[line / 64] >> UInt64(line % 64) & 1 != 0 }
}

/// One of the two parts of a split.
struct LineSelection: Sendable {
  let split: LineSplit
  let isValidation: Bool
  /// The number of lines before each block of the corpus (`CorpusIndex`).
  let linesBefore: [Int]

  func contains(_ line: Int) -> Bool { split.isValidation(line) == isValidation }
}
