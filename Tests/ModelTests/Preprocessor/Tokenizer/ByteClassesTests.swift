import Testing

@testable import Model

struct ByteClassesTests {
  /// Each byte at each offset, against its classification by itself.
  @Test(arguments: [true, false])
  func everyByte(cleansText: Bool) {
    let classes = TextNormalizer(cleansText: cleansText, stripsAccents: true, lowercases: true).byteClasses()
    var wrong: [String] = []
    for filler: UInt8 in [0x20, 0x61, 0x2E, 0xFF, 0x09] {
      for offset in 0..<ByteClasses.size {
        for byte in UInt8(0)...255 {
          var text = [UInt8](repeating: filler, count: ByteClasses.size)
          text[offset] = byte
          let found = text.withUnsafeBufferPointer { text in
            text.baseAddress.map { ByteClasses($0, classes: classes) }.map { [$0.letters, $0.blanks, $0.others] }
          }
          if found != expected(text, classes) { wrong.append("\(byte) at \(offset) among \(filler)") }
        }
      }
    }
    #expect(wrong == [])
  }

  private func expected(_ text: [UInt8], _ classes: [UInt8]) -> [UInt64] {
    var (letters, blanks, others): (UInt64, UInt64, UInt64) = (0, 0, 0)
    for (index, byte) in text.enumerated() {
      let bit: UInt64 = 1 << UInt64(index)
      if (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) && byte < 0x80 { letters |= bit }
      let isBlank = classes[Int(byte)] == TextNormalizer.ByteClass.blank
      if isBlank { blanks |= bit }
      if !isBlank, byte < 0x20 || byte >= 0x7F { others |= bit }
    }
    return [letters, blanks, others]
  }
}
