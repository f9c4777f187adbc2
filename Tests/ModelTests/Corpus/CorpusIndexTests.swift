import TestSupport
import Testing

@testable import Model

struct CorpusIndexTests {
  struct Found: Equatable {
    var entries: [[Int]]
    var lineMarks: [UInt64]
    var firstSamples: [Int]
    var linesBeforeBlock: [Int]
    var statistics: TextCorpus.Statistics
  }

  func index(
    _ texts: [String], block: Int, threads: Int, layout: TextCorpus.Layout = .lines, truncate: Bool = false
  ) throws -> Found {
    let folder = try TemporaryFolder()
    let windows = LineWindows(tokenizer: try SmallTokenizer.english(), budget: 6)
    var index = CorpusIndex(
      rules: CorpusBlock.Rules(windows: windows, layout: layout, truncate: truncate, selection: nil),
      markStride: 4, threads: threads, temporaryDirectory: folder.path)
    index.blockBytes = block
    for (number, text) in texts.enumerated() {
      let path = try folder.write("\(number).txt", Array(text.utf8))
      let file = try TextFile.open(path, temporaryDirectory: folder.path, standardInput: -1)
      try index.add(file, strict: false)
    }
    let entries = try values(index.entries).map { TextCorpus.Entry(bits: $0) }
    return Found(
      entries: entries.map { [$0.offset, $0.skip, $0.continuesLine ? 1 : 0] }, lineMarks: try values(index.lineMarks),
      firstSamples: index.firstSamples, linesBeforeBlock: index.linesBeforeBlock, statistics: index.statistics)
  }

  func values(_ list: SpillableArray) throws -> [UInt64] {
    var values: [UInt64] = []
    try list.visit { values.append($0) }
    return values
  }

  /// The index does not depend on the block size or the number of threads.
  @Test func blocksAndThreads() throws {
    let lines = (0..<60).map { number in
      switch number % 7 {
      case 0: ""
      case 1: String(repeating: "the quick brown fox ", count: number)
      case 2: "\u{FEFF}the fox"
      case 3: String(repeating: "x", count: number * 3) + "\r"
      case 4: " \t"
      default: "fox \(number)"
      }
    }
    let texts = [
      lines.joined(separator: "\n"), "\u{FEFF}the\nfox\n", "\n", "\u{FEFF}", "", lines.joined(separator: "\n") + "\n",
    ]
    for truncate in [false, true] {
      let whole = try index(texts, block: 1 << 20, threads: 1, truncate: truncate)
      #expect(whole.entries.count > 80 && whole.statistics.longLines > 10)
      #expect(whole.lineMarks.count == (whole.entries.count + 3) / 4 && whole.lineMarks.prefix(1) == [2])
      for (block, threads) in [(1, 1), (1, 3), (50, 2), (300, 8)] {
        var found = try index(texts, block: block, threads: threads, truncate: truncate)
        found.linesBeforeBlock = whole.linesBeforeBlock
        #expect(found == whole)
      }
    }
    // Packing restarts with each block, with any number of threads.
    for block in [1, 50, 1 << 20] {
      let alone = try index(texts, block: block, threads: 1, layout: .packed)
      #expect(try index(texts, block: block, threads: 5, layout: .packed) == alone)
      #expect(alone.linesBeforeBlock.last.map { $0 < alone.statistics.textLines } == true)
    }
  }
}
