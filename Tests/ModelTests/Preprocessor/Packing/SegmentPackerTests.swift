import Testing

@testable import Model

@Suite struct SegmentPackerTests {
  func packer(_ length: Int, _ truncate: MultiSegmentPacker.Truncation = .roundRobin) -> MultiSegmentPacker {
    MultiSegmentPacker(sequenceLength: length, startID: 101, endID: 102, paddingID: 0, truncate: truncate)
  }

  /// The examples in KerasHub's documentation of `MultiSegmentPacker`.
  @Test func documentedExamples() throws {
    let one = try packer(8)([[1, 2, 3, 4]])
    #expect(one.tokenIDs == [101, 1, 2, 3, 4, 102, 0, 0])
    #expect(one.segmentIDs == [0, 0, 0, 0, 0, 0, 0, 0])
    let two = try packer(8)([[1, 2, 3, 4], [11, 12, 13, 14]])
    #expect(two.tokenIDs == [101, 1, 2, 3, 102, 11, 12, 102])
    #expect(two.segmentIDs == [0, 0, 0, 0, 0, 1, 1, 1])
  }

  @Test func waterfallFillsTheFirstSegmentFirst() throws {
    #expect(try packer(8, .waterfall).pack([[1, 2, 3, 4], [11, 12, 13]]) == [101, 1, 2, 3, 4, 102, 11, 102])
    #expect(try packer(6, .waterfall).pack([[1, 2, 3, 4], [11, 12, 13]]) == [101, 1, 2, 3, 102, 102])
  }

  @Test func nothingIsCutWhenAllFits() throws {
    for truncate in MultiSegmentPacker.Truncation.allCases {
      #expect(try packer(8, truncate).pack([[1], [11, 12, 13, 14]]) == [101, 1, 102, 11, 12, 13, 14, 102])
      #expect(try packer(8, truncate).pack([[], [11]]) == [101, 102, 11, 102])
      #expect(try packer(8, truncate).pack([[]]) == [101, 102])
    }
  }

  /// Compares with the definition, one token at a time, for every small shape.
  @Test func roundRobinHandsOutOneTokenInTurn() throws {
    for room in 0...9 {
      for a in 0...5 {
        for b in 0...5 {
          for c in 0...3 {
            let lengths = [a, b, c]
            var expected = [0, 0, 0]
            var left = room
            while left > 0, expected != lengths {
              for segment in 0..<3 where left > 0 && expected[segment] < lengths[segment] {
                expected[segment] += 1
                left -= 1
              }
            }
            #expect(try packer(room + 4).kept(of: lengths) == expected, "\(lengths) in \(room)")
            var rest = room
            let filled = lengths.map { length in
              defer { rest -= min(rest, length) }
              return min(rest, length)
            }
            #expect(try packer(room + 4, .waterfall).kept(of: lengths) == filled, "\(lengths) in \(room)")
          }
        }
      }
    }
  }

  @Test func noRoomForTheSpecialTokens() throws {
    #expect(try packer(2).pack([[1]]) == [101, 102])
    #expect(throws: PreprocessorError.sequenceTooShort(length: 1, needed: 2)) { try packer(1).pack([[1]]) }
    #expect(throws: PreprocessorError.sequenceTooShort(length: 2, needed: 3)) { try packer(2).pack([[1], [2]]) }
  }
}
