import Testing

@testable import Model

@Suite struct BatchTests {
  private let samples = [
    Sample(tokenIDs: [5, 6, 7], maskPositions: [0, 2], labels: [1, 2], weights: [0.5, 1]),
    Sample(tokenIDs: [8], positionIDs: [4]),
    Sample(tokenIDs: [9, 10], maskPositions: [1], labels: [3]),
  ]

  @Test func endToEnd() {
    let batch = Batch(samples)
    #expect(batch.tokenIDs == [5, 6, 7, 8, 9, 10] && batch.positionIDs == [0, 1, 2, 4, 0, 1])
    #expect(
      batch.tokens.starts == [0, 3, 4] && batch.tokens.lengths == [3, 1, 2]
        && batch.tokens.tokenIndices == [0, 1, 2, 0, 0, 1])
    #expect(batch.tokens.sampleKeys == [0, 0, 0, 1, 2, 2] && batch.tokens.longest == 3)
    #expect(batch.maskedRows == [0, 2, 5] && batch.labels == [1, 2, 3] && batch.weights == [0.5, 1, 1])
    #expect(
      batch.masks.starts == [0, 2, 2] && batch.masks.lengths == [2, 0, 1] && batch.masks.tokenIndices == [0, 2, 1])
    batch.tokens.forEachGap { _ in Issue.record("there is no gap") }
  }

  @Test func aligned() {
    let batch = Batch(samples, alignment: 4)
    #expect(batch.tokenIDs == [5, 6, 7, 0, 8, 0, 0, 0, 9, 10, 0, 0])
    #expect(batch.tokens.starts == [0, 4, 8] && batch.tokens.lengths == [3, 1, 2] && batch.tokens.rowCount == 12)
    #expect(batch.maskedRows == [0, 2, 4, 4, 9, 8, 8, 8] && batch.weights == [0.5, 1, 0, 0, 1, 0, 0, 0])
    #expect(
      batch.masks.starts == [0, 2, 4] && batch.labels.count == 8 && batch.masks.sampleKeys == [0, 0, 1, 1, 2, 2, 2, 2])
    var gaps: [Range<Int>] = []
    batch.tokens.forEachGap { gaps.append($0) }
    #expect(gaps == [3..<4, 5..<8, 10..<12])
    #expect(Batch.rows(of: samples[0], alignment: 4) == 4 && Batch.rows(of: samples[0], alignment: 1) == 3)
  }

  /// Samples of few rows share the first half of a tile; a sample that does not fit begins the next tile.
  @Test func shortSamplesShareATile() {
    func sample(_ masks: Int32) -> Sample {
      Sample(tokenIDs: Array(repeating: 5, count: 7), maskPositions: Array(0..<masks), labels: Array(0..<masks))
    }
    let batch = Batch([sample(1), sample(3), sample(2), sample(1), sample(7), sample(1)], alignment: 12)
    #expect(batch.tokens.starts == [0, 12, 24, 36, 48, 60])
    #expect(batch.masks.starts == [0, 1, 4, 12, 24, 36] && batch.masks.rowCount == 48)
    #expect(batch.maskedRows[0..<7] == [0, 12, 13, 14, 24, 25, 24] && batch.maskedRows[12] == 36)
    #expect(batch.labels[0..<7] == [0, 0, 1, 2, 0, 1, 0] && batch.weights[0..<7] == [1, 1, 1, 1, 1, 1, 0])
    var gaps: [Range<Int>] = []
    batch.masks.forEachGap { gaps.append($0) }
    #expect(gaps == [6..<12, 13..<24, 31..<36, 37..<48])
    let short = Batch(Array(repeating: Sample(tokenIDs: [2, 5, 3]), count: 3), alignment: 12)
    #expect(short.tokens.starts == [0, 3, 12] && short.tokenIDs.count == 24)
  }

  /// Batches of few rows end with their last sample; the gaps before it remain.
  @Test func fewRowsAreNotFilledUp() {
    let batch = Batch(samples, alignment: 4, unfilledRows: 8)
    #expect(batch.tokens.rowCount == 12 && batch.tokenIDs == [5, 6, 7, 0, 8, 0, 0, 0, 9, 10, 0, 0])
    #expect(batch.masks.rowCount == 5 && batch.maskedRows == [0, 2, 4, 4, 9] && batch.weights == [0.5, 1, 0, 0, 1])
    #expect(batch.labels.count == 5 && batch.masks.sampleKeys.count == 5)
    let shorter = Batch(samples, alignment: 4, unfilledRows: 12)
    #expect(shorter.tokenIDs == [5, 6, 7, 0, 8, 0, 0, 0, 9, 10] && shorter.positionIDs.count == 10)
    #expect(Batch([], alignment: 4, unfilledRows: 12).tokenIDs.isEmpty)
  }

  @Test func groups() {
    #expect(Batch.groups([], limit: 10) == [])
    #expect(Batch.groups([4, 4, 4], limit: 8) == [0..<2, 2..<3])
    #expect(Batch.groups([20, 1, 20, 5, 5], limit: 10) == [0..<1, 1..<2, 2..<3, 3..<5])
  }
}
