import Testing

@testable import Model

@Suite struct PairMergerTests {
  /// Byte-pair encoding as in the paper: everything is counted again for each merge.
  static func reference(_ words: [(word: String, count: Int)], alphabet: [String], size: Int, minimum: Int) -> [String]
  {
    var pieces = alphabet
    var spelled = words.map { word, count in
      (word.enumerated().map { $0 == 0 ? String($1) : "##\($1)" }, count)
    }
    while pieces.count < size {
      var counts: [[Int]: Int] = [:]
      for (spelling, count) in spelled {
        for (left, right) in zip(spelling, spelling.dropFirst()) {
          counts[[pieces.firstIndex(of: left)!, pieces.firstIndex(of: right)!], default: 0] += count
        }
      }
      let best = counts.max { a, b in a.value != b.value ? a.value < b.value : b.key.lexicographicallyPrecedes(a.key) }
      guard let (pair, count) = best, count >= minimum else { break }
      let (left, right) = (pieces[pair[0]], pieces[pair[1]])
      let merged = left + right.dropFirst(2)
      if !pieces.contains(merged) { pieces.append(merged) }
      for index in spelled.indices {
        var new: [String] = []
        for piece in spelled[index].0 {
          if new.last == left, piece == right { new[new.count - 1] = merged } else { new.append(piece) }
        }
        spelled[index].0 = new
      }
    }
    return pieces
  }

  static func merged(
    _ words: [(word: String, count: Int)], alphabet: [String], size: Int, minimum: Int
  ) throws -> [String] {
    var merger = PairMerger(alphabet: alphabet.map { Array($0.utf8) })
    for (word, count) in words {
      let ids = word.enumerated().map { index, letter in
        Int32(alphabet.firstIndex(of: index == 0 ? String(letter) : "##\(letter)")!)
      }
      merger.add(ids, count: UInt64(count))
    }
    try merger.merge(until: size, minimumFrequency: minimum)
    return merger.pieces.map { String(decoding: $0, as: UTF8.self) }
  }

  /// Random words over three letters: runs of one letter, ties, pieces that are made in two ways.
  @Test(arguments: 0..<60) func asCountedAnew(seed: Int) throws {
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    func random(_ limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % limit
    }
    let letters = Array("abc")
    let alphabet = letters.map(String.init) + letters.map { "##\($0)" }
    let words = Set((0..<30).map { _ in String((0..<1 + random(9)).map { _ in letters[random(3)] }) }).sorted()
      .map { (word: $0, count: 1 + random(5)) }
    for minimum in [1, 4] {
      #expect(
        try Self.merged(words, alphabet: alphabet, size: 60, minimum: minimum)
          == Self.reference(words, alphabet: alphabet, size: 60, minimum: minimum))
    }
  }

  @Test func runsOfOneLetter() throws {
    let alphabet = ["a", "##a"]
    let words = [(word: "aaaaaaa", count: 3), (word: "aa", count: 1)]
    #expect(
      try Self.merged(words, alphabet: alphabet, size: 20, minimum: 2)
        == Self.reference(words, alphabet: alphabet, size: 20, minimum: 2))
  }

  @Test func nothingToMerge() throws {
    #expect(try Self.merged([(word: "a", count: 9)], alphabet: ["a"], size: 9, minimum: 1) == ["a"])
    #expect(try Self.merged([(word: "ab", count: 1)], alphabet: ["a", "##b"], size: 9, minimum: 2) == ["a", "##b"])
    #expect(try Self.merged([(word: "ab", count: 1)], alphabet: ["a", "##b"], size: 2, minimum: 1) == ["a", "##b"])
  }
}
