/// Joins the segments of a sample into one sequence with special tokens between them, and truncates segments that do
/// not fit.
///
///     [CLS] a [SEP]            one segment
///     [CLS] a [SEP] b [SEP]    two segments, and so on
///
/// Every segment keeps its beginning. Nothing is cut if all segments and special tokens fit into `sequenceLength`.
/// Equivalent to KerasHub's `MultiSegmentPacker`.
public struct MultiSegmentPacker: Sendable, Equatable {
  /// How segments share the room if they do not fit.
  public enum Truncation: Sendable, Equatable, CaseIterable {
    /// In turn, one token for each segment that has tokens left.
    case roundRobin
    /// The earlier segments first.
    case waterfall
  }

  /// The maximum number of tokens in a packed sequence, including special tokens.
  public var sequenceLength: Int
  /// How segments share the room if they do not fit.
  public var truncate: Truncation
  /// The ids of [CLS], [SEP] and [PAD].
  public let startID, endID, paddingID: Int32

  /// Creates a packer with these ids. KerasHub's default is `roundRobin`.
  public init(
    sequenceLength: Int, startID: Int32, endID: Int32, paddingID: Int32, truncate: Truncation = .roundRobin
  ) {
    self.sequenceLength = sequenceLength
    self.startID = startID
    self.endID = endID
    self.paddingID = paddingID
    self.truncate = truncate
  }

  /// The number of text tokens that fit with this number of segments; negative if even the special tokens do not fit.
  public func room(segments: Int) -> Int { sequenceLength - segments - 1 }

  /// Returns the number of tokens that each segment keeps, from its beginning. `lengths`: the number of tokens in each.
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
        // Several rounds at once: every open segment can take as many tokens as the shortest of them has left.
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

  /// Returns the packed sequence, without padding.
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

  /// Returns the packed sequence, padded to `sequenceLength`, and the index of the segment to which each token belongs
  /// (0 for [CLS] and padding; a [SEP] belongs to the preceding segment).
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
