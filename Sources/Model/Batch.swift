/// Which sample each row of a matrix belongs to, and which of its tokens it is.
struct RowLayout {
  /// The first row of each sample.
  private(set) var starts: [Int] = []
  /// The number of rows of each sample that hold tokens.
  private(set) var lengths: [Int] = []
  /// Per row: the sample's place in the optimizer step (for dropout).
  private(set) var sampleKeys: [UInt32] = []
  /// Per row: the token's place in its sample.
  private(set) var places: [UInt32] = []

  var rowCount: Int { places.count }
  var sampleCount: Int { starts.count }
  var longest: Int { lengths.max() ?? 0 }

  func range(_ sample: Int) -> Range<Int> { starts[sample]..<starts[sample] + lengths[sample] }

  fileprivate mutating func append(places newPlaces: some Collection<UInt32>, key: UInt32, alignment: Int) {
    starts.append(places.count)
    lengths.append(newPlaces.count)
    places.append(contentsOf: newPlaces)
    while places.count % alignment != 0 { places.append(0) }
    sampleKeys.append(contentsOf: repeatElement(key, count: places.count - sampleKeys.count))
  }

  /// The rows between the samples, which hold nothing.
  func forEachGap(_ body: (Range<Int>) -> Void) {
    for sample in 0..<sampleCount {
      let end = sample + 1 < sampleCount ? starts[sample + 1] : rowCount
      let used = starts[sample] + lengths[sample]
      if used < end { body(used..<end) }
    }
  }
}

/// Samples of any lengths, end to end: what one pass through the network takes. There is no padding in the computation.
///
/// For inference every sample begins at a multiple of 12 rows. OpenBLAS computes a row the same to the last bit wherever it
/// stands, as long as its tile of 12 is full (see `GEMM`); so what a text is answered does not depend on what it is computed
/// together with. The price is 5 or 6 rows a sample on average. Training, whose sums run over the whole batch anyway, packs tightly.
struct Batch {
  /// Per row.
  private(set) var tokenIDs: [Int32] = []
  private(set) var positionIDs: [Int32] = []
  private(set) var tokens = RowLayout()
  /// The rows whose token is to be predicted, and their layout: row i of the head's input is row `maskedRows[i]` of the backbone's.
  private(set) var maskedRows: [Int32] = []
  private(set) var masks = RowLayout()
  /// Per masked row: the original id and the weight (0 for rows that only fill a tile).
  private(set) var labels: [Int32] = []
  private(set) var weights: [Float] = []
  private let alignment: Int

  static let inferenceAlignment = GEMM.rowTile

  /// - Parameter alignment: each sample begins at a multiple of this many rows.
  init(alignment: Int = 1) { self.alignment = alignment }

  init(_ samples: some Sequence<Sample>, alignment: Int = 1) {
    self.init(alignment: alignment)
    for (index, sample) in samples.enumerated() { append(sample, key: UInt32(truncatingIfNeeded: index)) }
  }

  mutating func append(_ sample: Sample, key: UInt32 = 0) {
    let firstRow = Int32(tokens.rowCount)
    tokens.append(places: 0..<UInt32(sample.tokenIDs.count), key: key, alignment: alignment)
    tokenIDs.append(contentsOf: sample.tokenIDs)
    positionIDs.append(contentsOf: sample.positionIDs)
    let fill = tokens.rowCount - tokenIDs.count
    tokenIDs.append(contentsOf: repeatElement(0, count: fill))
    positionIDs.append(contentsOf: repeatElement(0, count: fill))

    masks.append(places: sample.maskPositions.lazy.map { UInt32($0) }, key: key, alignment: alignment)
    maskedRows.append(contentsOf: sample.maskPositions.lazy.map { firstRow + $0 })
    maskedRows.append(contentsOf: repeatElement(firstRow, count: masks.rowCount - maskedRows.count))
    labels.append(contentsOf: sample.labels)
    labels.append(contentsOf: repeatElement(0, count: masks.rowCount - labels.count))
    weights.append(contentsOf: sample.weights)
    weights.append(contentsOf: repeatElement(0, count: masks.rowCount - weights.count))
  }

  /// The rows a sample will take.
  static func rows(of sample: Sample, alignment: Int) -> Int {
    (sample.tokenIDs.count + alignment - 1) / alignment * alignment
  }

  /// Cuts samples of these many rows into runs of at most `limit` rows (a longer sample is alone).
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
