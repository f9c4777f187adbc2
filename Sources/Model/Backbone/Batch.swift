import Tensor

/// Samples of any lengths, end to end, for one pass through the network. The computation has no padding.
///
/// With OpenBLAS' AVX2 kernel, every sample of an inference batch begins at a multiple of 12 rows or, if it is short,
/// within the first 6 rows of a tile. The kernel computes a row the same to the last bit in any full tile of 12 (see
/// `GEMM`), and in any row of a tile's first half, so the answer to a text does not depend on the rest of the batch.
/// The cost is 5 or 6 rows per sample on average, and 1 more row per mask for texts with one mask; a batch of few rows
/// is not filled up at its end. The AVX-512 kernels treat all rows alike. With them, and in training, whose sums run
/// over the whole batch anyway, samples are packed tightly.
struct Batch {
  /// The token and its position, per row.
  private(set) var tokenIDs: [Int32] = []
  private(set) var positionIDs: [Int32] = []
  private(set) var tokens = RowLayout()
  /// The rows whose token is predicted, and their layout: row i of the head's input is row `maskedRows[i]` of the
  /// backbone's.
  private(set) var maskedRows: [Int32] = []
  private(set) var masks = RowLayout()
  /// The original id and the weight (0 for rows that only fill a tile), per masked row.
  private(set) var labels: [Int32] = []
  private(set) var weights: [Float] = []
  private let alignment: Int

  static let inferenceAlignment = GEMM.rowAlignment

  /// - Parameter alignment: each sample begins at a multiple of this many rows.
  init(alignment: Int = 1) { self.alignment = alignment }

  /// - Parameter unfilledRows: in a batch of at most this many rows, the fill rows after the last sample are left out.
  init(_ samples: some Sequence<Sample>, alignment: Int = 1, unfilledRows: Int = 0) {
    self.init(alignment: alignment)
    for (index, sample) in samples.enumerated() { append(sample, key: UInt32(truncatingIfNeeded: index)) }
    guard alignment > 1 else { return }
    if tokens.rowCount <= unfilledRows {
      tokens.dropFillers()
      tokenIDs.removeSubrange(tokens.rowCount...)
      positionIDs.removeSubrange(tokens.rowCount...)
    }
    if masks.rowCount <= unfilledRows {
      masks.dropFillers()
      maskedRows.removeSubrange(masks.rowCount...)
      labels.removeSubrange(masks.rowCount...)
      weights.removeSubrange(masks.rowCount...)
    }
  }

  /// Creates a batch in which a sample's result is the same to the last bit, whatever the other samples are.
  /// `SmallBatchGEMM` needs no full tile.
  ///
  /// - Parameter alignment: 1 for products in reduced precision, which treat all rows alike.
  static func inference(_ samples: some Sequence<Sample>, alignment: Int = inferenceAlignment) -> Batch {
    Batch(
      samples, alignment: alignment, unfilledRows: SmallBatchGEMM.isAvailable ? SmallBatchGEMM.rowLimit : 0)
  }

  mutating func append(_ sample: Sample, key: UInt32 = 0) {
    let firstRow = tokens.start(of: sample.tokenIDs.count, alignment: alignment)
    tokens.append(tokenIndices: 0..<UInt32(sample.tokenIDs.count), at: firstRow, key: key, alignment: alignment)
    Self.put(sample.tokenIDs, at: firstRow, in: &tokenIDs, filledWith: 0, to: tokens.rowCount)
    Self.put(sample.positionIDs, at: firstRow, in: &positionIDs, filledWith: 0, to: tokens.rowCount)

    let row = masks.start(of: sample.maskPositions.count, alignment: alignment)
    masks.append(tokenIndices: sample.maskPositions.lazy.map { UInt32($0) }, at: row, key: key, alignment: alignment)
    Self.put(
      sample.maskPositions.map { Int32(firstRow) + $0 }, at: row, in: &maskedRows, filledWith: Int32(firstRow),
      to: masks.rowCount)
    Self.put(sample.labels, at: row, in: &labels, filledWith: 0, to: masks.rowCount)
    Self.put(sample.weights, at: row, in: &weights, filledWith: 0, to: masks.rowCount)
  }

  /// Appends values after the first `start` ones, and fills up to `end` values.
  private static func put<Value>(
    _ values: [Value], at start: Int, in array: inout [Value], filledWith filler: Value, to end: Int
  ) {
    array.removeSubrange(start...)
    array.append(contentsOf: values)
    array.append(contentsOf: repeatElement(filler, count: end - array.count))
  }

  /// Returns the number of rows that a sample takes.
  static func rows(of sample: Sample, alignment: Int) -> Int {
    (sample.tokenIDs.count + alignment - 1) / alignment * alignment
  }

  /// Divides samples with these numbers of rows into runs of at most `limit` rows. A longer sample gets its own run.
  static func groups(_ rows: [Int], limit: Int) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    var (start, total) = (0, 0)
    for (index, count) in rows.enumerated() {
      if index > start, total + count > limit {
        groups.append(start..<index)
        (start, total) = (index, 0)
      }
      total += count
    }
    if start < rows.count { groups.append(start..<rows.count) }
    return groups
  }
}
