/// Puts the segments of a sample into one sequence, special tokens between them, and cuts what does not fit.
///
///     [CLS] a [SEP]            one segment
///     [CLS] a [SEP] b [SEP]    two segments, and so on
///
/// Every segment keeps its head. Nothing is cut when all segments fit into `sequenceLength`, special tokens counted.
/// As KerasHub's `MultiSegmentPacker`.
public struct MultiSegmentPacker: Sendable, Equatable {
  /// How the room is shared when the segments do not fit.
  public enum Truncation: Sendable, Equatable, CaseIterable {
    /// One token for each segment that still has some, in turn.
    case roundRobin
    /// The first segment first.
    case waterfall
  }

  /// Tokens of a packed sequence, special tokens counted.
  public var sequenceLength: Int
  /// How the room is shared when the segments do not fit.
  public var truncate: Truncation
  /// [CLS], [SEP] and [PAD].
  public let startID, endID, paddingID: Int32

  /// A packer with these ids; KerasHub's default shares the room in turn.
  public init(
    sequenceLength: Int, startID: Int32, endID: Int32, paddingID: Int32, truncate: Truncation = .roundRobin
  ) {
    self.sequenceLength = sequenceLength
    self.startID = startID
    self.endID = endID
    self.paddingID = paddingID
    self.truncate = truncate
  }

  /// The tokens that remain for the text of so many segments; negative where the special tokens alone do not fit.
  public func room(segments: Int) -> Int { sequenceLength - segments - 1 }

  /// How many tokens each segment keeps, from its head. `lengths`: the tokens each has.
  public func kept(of lengths: [Int]) throws(PreprocessorError) -> [Int] {
    var room = room(segments: lengths.count)
    guard room >= 0 else {
      throw .sequenceTooShort(length: sequenceLength, needed: lengths.count + 1)
    }
    var kept = [Int](repeating: 0, count: lengths.count)
    switch truncate {
    case .waterfall:
      for segment in lengths.indices {
        kept[segment] = min(lengths[segment], room)
        room -= kept[segment]
      }
    case .roundRobin:
      var open = lengths.indices.filter { lengths[$0] > 0 }
      while room > 0, !open.isEmpty {
        // Whole rounds at once: every open segment can take as much as the shortest of them still has.
        let rounds = min(room / open.count, open.map { lengths[$0] - kept[$0] }.min() ?? 0)
        if rounds == 0 {
          for segment in open.prefix(room) { kept[segment] += 1 }
          break
        }
        for segment in open { kept[segment] += rounds }
        room -= rounds * open.count
        open.removeAll { kept[$0] == lengths[$0] }
      }
    }
    return kept
  }

  /// The packed sequence, without padding.
  public func pack(_ segments: [[Int32]]) throws(PreprocessorError) -> [Int32] {
    let kept = try kept(of: segments.map(\.count))
    var packed = [Int32]()
    packed.reserveCapacity(kept.reduce(segments.count + 1, +))
    packed.append(startID)
    for (segment, count) in zip(segments, kept) {
      packed.append(contentsOf: segment.prefix(count))
      packed.append(endID)
    }
    return packed
  }

  /// The packed sequence, padded to `sequenceLength`, and the number of the segment each token belongs to
  /// (0 for [CLS] and for padding; a [SEP] belongs to the segment before it).
  public func callAsFunction(
    _ segments: [[Int32]]
  ) throws(PreprocessorError) -> (tokenIDs: [Int32], segmentIDs: [Int32]) {
    var tokenIDs = try pack(segments)
    var segmentIDs: [Int32] = [0]
    for (number, count) in try kept(of: segments.map(\.count)).enumerated() {
      segmentIDs.append(contentsOf: repeatElement(Int32(truncatingIfNeeded: number), count: count + 1))
    }
    let padding = sequenceLength - tokenIDs.count
    tokenIDs.append(contentsOf: repeatElement(paddingID, count: padding))
    segmentIDs.append(contentsOf: repeatElement(0, count: padding))
    return (tokenIDs, segmentIDs)
  }
}
