import Testing

@testable import Model
@testable import Tensor

@Suite struct LineWindowsTests {
  /// Words of the small vocabulary, some with very many pieces, and runs of blanks.
  func text(seed: UInt64, words: Int) -> String {
    var draws = RandomStream(seed: seed, purpose: .shuffle)
    var text = ""
    for _ in 0..<words {
      switch draws.below(8) {
      case 0: text += "the fox's "
      case 1: text += String(repeating: "z", count: 1 + draws.below(60)) + " "
      case 2: text += "quick-brown, "
      case 3: text += String(repeating: " ", count: draws.below(30))
      case 4: text += "[MASK] "
      case 5: text += "Über 日本 "
      case 6: text += "x\u{0}\u{AD}y"
      default: text += "jumped "
      }
    }
    return text
  }

  @Test func everyTokenIsInOneWindow() throws {
    let tokenizer = try SmallTokenizer.english()
    for budget in [1, 2, 5, 7, 30, 64, 200] {
      for seed in 0..<24 {
        let bytes = Array(text(seed: UInt64(seed), words: 150).utf8)
        try bytes.withUnsafeBufferPointer { line in
          let cutter = LineWindows(tokenizer: tokenizer, budget: budget)
          let (windows, count) = cutter.cut(line)
          #expect(cutter.count(line) == count)
          let whole = tokenizer.encodeWithOffsets(line).ids
          #expect(count == whole.count, "budget \(budget), seed \(seed)")
          var joined = [Int32]()
          for (index, window) in windows.enumerated() {
            let end = windows[(index + 1)...].first { $0.skip == 0 }?.offset ?? line.count
            try #require(window.offset <= end)
            var ids = [Int32]()
            tokenizer.encode(UnsafeBufferPointer(rebasing: line[window.offset..<end]), into: &ids)
            joined += ids.dropFirst(window.skip).prefix(budget)
          }
          #expect(joined == whole, "budget \(budget), seed \(seed)")
        }
      }
    }
  }

  @Test func windowsBeginAtWords() throws {
    let tokenizer = try SmallTokenizer.english()
    let bytes = Array("the quick zzz brown".utf8)
    bytes.withUnsafeBufferPointer { line in
      let (windows, tokens) = LineWindows(tokenizer: tokenizer, budget: 4).cut(line)
      #expect(windows == [.init(offset: 0, skip: 0), .init(offset: 10, skip: 0)])
      #expect(tokens == 6)
      let (small, _) = LineWindows(tokenizer: tokenizer, budget: 2).cut(line)
      #expect(small == [(0, 0), (10, 0), (10, 2)].map { LineWindows.Window(offset: $0.0, skip: $0.1) })
    }
  }

  @Test func headStopsEarly() throws {
    let tokenizer = try SmallTokenizer.english()
    let bytes = Array(String(repeating: "the ", count: 100_000).utf8)
    bytes.withUnsafeBufferPointer { line in
      let windows = LineWindows(tokenizer: tokenizer, budget: 100)
      var tokens = TokenizedText()
      windows.head(of: line, atLeast: 10, wordStarts: false, into: &tokens)
      #expect(tokens.ids.count >= 10 && tokens.ids.count < 5_000)
      windows.head(of: line, atLeast: 50_000, wordStarts: false, into: &tokens)
      #expect(tokens.ids.count >= 50_000)
    }
  }
}
