import Testing

@testable import Model

@Suite struct WordCounterTests {
  func count(_ texts: [String], lowercase: Bool = true, threads: Int = 1) throws -> [String: UInt64] {
    let counter = WordCounter(.init(lowercase: lowercase), threads: threads)
    for text in texts { try Array(text.utf8).withUnsafeBufferPointer { try counter.add($0) } }
    let words = list(counter.finish().words)
    // In byte order, each once.
    #expect(zip(words, words.dropFirst()).allSatisfy { $0.word.utf8.lexicographicallyPrecedes($1.word.utf8) })
    return Dictionary(uniqueKeysWithValues: words.map { ($0.word, $0.count) })
  }

  func list(_ table: WordTable) -> [(word: String, count: UInt64)] {
    var words: [(String, UInt64)] = []
    table.visit { word, _, count in words.append((String(decoding: word, as: UTF8.self), count)) }
    return words
  }

  @Test func wordsAsTheTokenizerSplitsThem() throws {
    let text = "The café, the CAFE.\r\nIt's 中文!\n\n\t the"
    #expect(
      try count([text]) == [
        "the": 3, "cafe": 2, ",": 1, ".": 1, "it": 1, "'": 1, "s": 1, "中": 1, "文": 1, "!": 1,
      ])
    #expect(try count([text], lowercase: false)["café"] == 1)
    #expect(try count(["", "\n", " "]).isEmpty)
  }

  @Test func wordsThatAreAlwaysUnknownAreNotCounted() throws {
    let long = String(repeating: "a", count: 100)
    #expect(try count([long + "b " + long]) == [long: 1])
  }

  /// The counts do not depend on which thread reads which block, or how often the table grows.
  @Test func threads() throws {
    let text = (0..<280_000).map { "w\($0 % 30_011) x\($0 % 7)" }.joined(separator: "\n")
    #expect(text.utf8.count > 2 << 20)
    let one = try count([text])
    #expect(one.count == 30_018 && one["x6"] == 40_000 && one.values.reduce(0, +) == 560_000)
    for threads in [2, 5] { #expect(try count([text], threads: threads) == one) }
  }

  @Test func tablesAreAdded() {
    func table(_ words: [String]) -> WordTable {
      let table = WordTable()
      for word in words {
        // All words have the same hash: only their bytes differ.
        Array(word.utf8).withUnsafeBufferPointer { table.add($0, hash: 7) }
      }
      return table
    }
    let sum = table(["b", "a", "b", ""])
    sum.add(table(["b", "c"]))
    #expect(list(sum).map(\.word) == ["b", "a", "", "c"])
    sum.sort()
    #expect(list(sum).map(\.word) == ["", "a", "b", "c"] && list(sum).map(\.count) == [1, 1, 3, 1])
    // Words are still found.
    sum.add(table(["c", "d"]))
    #expect(list(sum).map(\.count) == [1, 1, 3, 2, 1])
  }

  /// Every table that knows a word keeps whether the text contains it in its normalized spelling.
  @Test func spellings() {
    func table(_ word: String, _ isSpelledSo: Bool) -> WordTable {
      let table = WordTable()
      Array(word.utf8).withUnsafeBufferPointer { table.add($0, hash: 7, isSpelledSo: isSpelledSo) }
      return table
    }
    for (first, second) in [(true, false), (false, true), (false, false)] {
      let sum = table("the", first)
      sum.add(table("the", second))
      #expect(sum.entries.map(\.isSpelledSo) == [first || second] && sum.entries.map(\.count) == [2])
      #expect(sum.entries.map(\.bytes) == [0..<3])
    }
  }
}
