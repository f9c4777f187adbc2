import Testing

@testable import Text

@Suite struct TextLinesTests {
  func lines(_ bytes: [UInt8]) -> [[UInt8]] {
    bytes.withUnsafeBufferPointer { buffer in TextLines(buffer).map { Array(buffer[$0]) } }
  }
  func lines(_ text: String) -> [String] { lines(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) } }

  @Test func endsAndNothingElse() {
    #expect(lines("") == [])
    #expect(lines("a") == ["a"])
    #expect(lines("a\n") == ["a"])
    #expect(lines("a\n\nb") == ["a", "", "b"])
    #expect(lines("\n\n") == ["", ""])
    #expect(lines("a\r\nb\r\r\n\r\nc\r") == ["a", "b\r", "", "c\r"])
    #expect(lines("a\rb") == ["a\rb"])
    for other in ["\u{2028}", "\u{2029}", "\u{85}", "\u{0C}", "\u{0B}", "\u{1C}", "\u{0}"] {
      #expect(lines("a\(other)b\n").map { Array($0.utf8) } == [Array("a\(other)b".utf8)])
    }
  }

  @Test func byteOrderMark() {
    #expect(lines([0xEF, 0xBB, 0xBF, 0x61, 0x0A, 0xEF, 0xBB, 0xBF]) == [[0x61], [0xEF, 0xBB, 0xBF]])
    #expect(lines([0xEF, 0xBB, 0xBF]) == [])
    #expect(lines([0xEF, 0xBB]) == [[0xEF, 0xBB]])
  }

  @Test func numbersAreThoseOfWC() {
    for (text, count) in [("", 0), ("a", 1), ("a\n", 1), ("a\nb", 2), ("\n\n\n", 3), ("\r\n", 1)] {
      let bytes = Array(text.utf8)
      bytes.withUnsafeBufferPointer { buffer in
        var lines = TextLines(buffer)
        while lines.next() != nil {}
        #expect(lines.number == count)
      }
    }
  }

  @Test func blank() {
    func isBlank(_ text: String) -> Bool { Array(text.utf8).withUnsafeBufferPointer { TextLines.isBlank($0) } }
    for text in [
      "", " ", "\t \r\u{0B}\u{0C}", "\u{A0}", "\u{2003}\u{3000}", "\u{85}\u{1680}", "\u{2028}\u{2029}\u{202F}\u{205F}",
    ] {
      #expect(isBlank(text), "\(text.unicodeScalars.map(\.value))")
    }
    for text in ["a", " .", "\u{200B}", "\u{FEFF}", "\u{0}", "é", "𝄞", "\u{2010}"] {
      #expect(!isBlank(text), "\(text.unicodeScalars.map(\.value))")
    }
    #expect(![0x20, 0xC2].withUnsafeBufferPointer { TextLines.isBlank($0) })
  }
}
