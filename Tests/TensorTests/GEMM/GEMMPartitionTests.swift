import Testing

@testable import Tensor

@Suite struct GEMMPartitionTests {
  private func parts(_ rows: Int, _ columns: Int, _ workers: Int, rowUnit: Int = 4, columnUnit: Int? = 32) -> [Int] {
    let partition = GEMMPartition(
      rows: rows, columns: columns, rowUnit: rowUnit, columnUnit: columnUnit, workers: workers)
    return [partition.rowParts, partition.columnParts]
  }

  /// Two workers divide the longer side; with many workers, parts are as square as possible.
  @Test func partsOfShapes() {
    #expect(parts(1024, 768, 1) == [1, 1])
    #expect(parts(1024, 768, 2) == [2, 1])
    #expect(parts(1024, 3072, 2) == [1, 2])
    #expect(parts(1024, 768, 16) == [4, 4])
    #expect(parts(3072, 768, 16) == [8, 2])
    #expect(parts(1024, 768, 7) == [7, 1])
    // Panels of 320 columns: 768 columns have two panels of different sizes.
    #expect(parts(1032, 768, 2, rowUnit: 12, columnUnit: 320) == [2, 1])
    #expect(parts(1030, 3072, 8, rowUnit: 12, columnUnit: nil) == [8, 1])
    // No more parts than there are units.
    #expect(parts(5, 40, 8) == [2, 1])
    #expect(parts(1, 1, 8) == [1, 1])
  }

  @Test(arguments: [1, 2, 3, 6, 16, 64]) func everythingOnce(_ workers: Int) {
    for (rows, columns) in [(1, 1), (12, 640), (13, 1003), (516, 128), (1024, 3072), (300, 70)] {
      for (rowUnit, columnUnit) in [(4, 32), (12, 320), (12, nil)] as [(Int, Int?)] {
        let partition = GEMMPartition(
          rows: rows, columns: columns, rowUnit: rowUnit, columnUnit: columnUnit, workers: workers)
        #expect(partition.parts <= workers)
        var covered = [Int](repeating: 0, count: rows * columns)
        for part in 0..<partition.parts {
          let (some, range) = partition[part]
          #expect(!some.isEmpty && !range.isEmpty && some.lowerBound % rowUnit == 0)
          #expect(range.lowerBound % (columnUnit ?? columns) == 0)
          for row in some { for column in range { covered[row * columns + column] += 1 } }
        }
        #expect(covered.allSatisfy { $0 == 1 }, "\(rows) × \(columns)")
      }
    }
  }
}
