import Foundation
import TestSupport
import Testing

@testable import Files
@testable import Model

@Suite struct SpillableArrayTests {
  /// The array behaves the same with all integers in memory, all in the file, or some in both.
  @Test func everyWay() throws {
    let folder = try TemporaryFolder()
    for limit in [1, 7, 1000] {
      for count in [0, 1, 6, 7, 8, 14, 1000, 20_000] {
        let list = SpillableArray(temporaryDirectory: folder.path, limit: limit)
        for index in 0..<count { try list.append(UInt64(index) &* 0x9E37_79B9_7F4A_7C15) }
        #expect(list.count == count)
        var all: [UInt64] = []
        try list.visit { all.append($0) }
        #expect(all == (0..<UInt64(count)).map { $0 &* 0x9E37_79B9_7F4A_7C15 })
        for index in stride(from: 0, to: count, by: 13) {
          #expect(try list.value(at: index) == all[index])
          var some: [UInt64] = []
          try list.values(from: index, most: 3) { some += $0 }
          #expect((1...3).contains(some.count) && some == Array(all[index..<index + some.count]))
        }
      }
    }
    // The files are unlinked.
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test func errors() throws {
    let list = SpillableArray(temporaryDirectory: "/nowhere", limit: 2)
    try list.append(1)
    try list.append(2)
    #expect(throws: FileError.missing(path: "/nowhere/mlm-XXXXXX")) { try list.append(3) }
    struct Stop: Error {}
    #expect(throws: Stop.self) { try list.visit { _ in throw Stop() } }
  }
}
