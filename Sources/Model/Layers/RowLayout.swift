/// The sample and the token of each row of a matrix.
struct RowLayout {
  /// The first row of each sample.
  private(set) var starts: [Int] = []
  /// The number of rows with tokens in each sample.
  private(set) var lengths: [Int] = []
  /// The index of the row's sample in the optimizer step (for dropout), per row.
  private(set) var sampleKeys: [UInt32] = []
  /// The index of the row's token in its sample, per row.
  private(set) var tokenIndices: [UInt32] = []

  var rowCount: Int { tokenIndices.count }
  var sampleCount: Int { starts.count }
  var longest: Int { lengths.max() ?? 0 }

  func range(_ sample: Int) -> Range<Int> { starts[sample]..<starts[sample] + lengths[sample] }

  /// Returns the first row of the next sample: after the last sample if both fit into the first half of its tile,
  /// otherwise at the next tile.
  func start(of count: Int, alignment: Int) -> Int {
    guard let last = starts.last, let length = lengths.last, alignment > 1 else { return rowCount }
    let next = last + length
    let tile = last / alignment * alignment
    return next + count <= tile + alignment / 2 ? next : rowCount
  }

  /// Adds a sample whose first row is `start`, and fills the rows to the end of the tile.
  mutating func append(
    tokenIndices newIndices: some Collection<UInt32>, at start: Int, key: UInt32, alignment: Int
  ) {
    starts.append(start)
    lengths.append(newIndices.count)
    tokenIndices.removeSubrange(start...)
    sampleKeys.removeSubrange(start...)
    tokenIndices.append(contentsOf: newIndices)
    while tokenIndices.count % alignment != 0 { tokenIndices.append(0) }
    sampleKeys.append(contentsOf: repeatElement(key, count: tokenIndices.count - sampleKeys.count))
  }

  /// Removes the fill rows after the last sample.
  mutating func dropFillers() {
    guard let start = starts.last, let length = lengths.last else { return }
    tokenIndices.removeSubrange((start + length)...)
    sampleKeys.removeSubrange((start + length)...)
  }

  /// Calls the body with the fill rows after each sample.
  func forEachGap(_ body: (Range<Int>) -> Void) {
    for sample in 0..<sampleCount {
      let end = sample + 1 < sampleCount ? starts[sample + 1] : rowCount
      let used = starts[sample] + lengths[sample]
      if used < end { body(used..<end) }
    }
  }
}
