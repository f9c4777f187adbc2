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

  /// Where the next sample begins: behind the last one if both fit into the first half of its tile, else at the next tile.
  func start(of count: Int, alignment: Int) -> Int {
    guard let last = starts.last, let length = lengths.last, alignment > 1 else { return rowCount }
    let next = last + length
    let tile = last / alignment * alignment
    return next + count <= tile + alignment / 2 ? next : rowCount
  }

  /// Adds a sample whose first row is `start`; the rows to the end of the tile are filled up.
  mutating func append(
    places newPlaces: some Collection<UInt32>, at start: Int, key: UInt32, alignment: Int
  ) {
    starts.append(start)
    lengths.append(newPlaces.count)
    places.removeSubrange(start...)
    sampleKeys.removeSubrange(start...)
    places.append(contentsOf: newPlaces)
    while places.count % alignment != 0 { places.append(0) }
    sampleKeys.append(contentsOf: repeatElement(key, count: places.count - sampleKeys.count))
  }

  /// Takes away the rows behind the last sample.
  mutating func dropFillers() {
    guard let start = starts.last, let length = lengths.last else { return }
    places.removeSubrange((start + length)...)
    sampleKeys.removeSubrange((start + length)...)
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
