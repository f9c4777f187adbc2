import Foundation
import Testing

@testable import Model
@testable import Tensor

/// Detection of other encodings and of binary data.
@Suite struct PlainTextTests {
  private func kind(_ bytes: [UInt8], isFile: Bool = true) -> String? {
    do {
      try bytes.withUnsafeBufferPointer { try PlainText.check($0, name: "x", isFile: isFile) }
      return nil
    } catch PreprocessorError.notText(_, let kind, _) {
      return kind
    } catch {
      return "\(error)"
    }
  }

  /// Encodes a text as UTF-16 or UTF-32, without a byte-order mark.
  private func encode(_ text: String, size: Int, isLittle: Bool) -> [UInt8] {
    let units = size == 2 ? text.utf16.map { UInt32($0) } : text.unicodeScalars.map(\.value)
    return units.flatMap { unit -> [UInt8] in
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: unit >> (8 * UInt32($0))) }
      return isLittle ? bytes : bytes.reversed()
    }
  }

  static let texts = [
    "He went to the [MASK].\nShe sat.\n", "Он пошёл в лес и домой.\n", "他去了[MASK]的房子里面看书。\n今天天气很好。\n",
    "Η γάτα κάθισε στο χαλί.\n", "😀 and 😁\n", "a", "बिल्ली चटाई पर बैठी है।\n", "ひらがなのぶんしょうです。\nねこがいる。\n",
    "고양이가 [MASK] 위에 앉았다.\n", "القطة على السجادة.\n", "แมวนั่งบนเสื่อ\n",
  ]

  @Test(arguments: texts) func wideEncodingsAreNamed(_ text: String) {
    #expect(kind(Array(text.utf8)) == nil)
    for (size, name) in [(2, "UTF-16"), (4, "UTF-32")] {
      #expect(kind(encode(text, size: size, isLittle: true)) == "\(name)LE text")
      #expect(kind(encode(text, size: size, isLittle: false)) == "\(name)BE text")
      #expect(kind(encode("\u{FEFF}" + text, size: size, isLittle: true)) == "\(name) text")
      #expect(kind(encode("\u{FEFF}" + text, size: size, isLittle: false)) == "\(name) text")
    }
    // Cut at any byte, as at the end of a block.
    let bytes = encode(String(repeating: text, count: 20), size: 2, isLittle: true)
    for end in bytes.count - 3..<bytes.count { #expect(kind(Array(bytes[..<end])) == "UTF-16LE text") }
  }

  /// A stray NUL, an 8-bit encoding, and control characters as separators are accepted as text.
  @Test func whatIsText() {
    #expect(kind([]) == nil && kind(Array("a\u{0}b is a long enough line of text\n".utf8)) == nil)
    #expect(kind(Array("a line of text ".utf8) + [0, 0xFF, 0x0A, 0xC3]) == nil)
    #expect(kind([0x63, 0x61, 0x66, 0xE9, 0x0A]) == nil)  // Latin-1
    #expect(kind([0xCF, 0xF0, 0xE8, 0xE2, 0xE5, 0xF2, 0x0A]) == nil)  // Windows-1251
    #expect(kind(Array("one\u{1}two\u{1}3\u{1}\u{1}5\n".utf8)) == nil)
    #expect(kind(Array("\u{1B}[31mred\u{1B}[0m\n".utf8)) == nil)
  }

  @Test func whatIsBinary() {
    var random = RandomStream(seed: 3, purpose: .maskSelection)
    let noise = (0..<4096).map { _ in UInt8(random.below(256)) }
    #expect(kind(noise)?.hasPrefix("binary data") == true)
    #expect(kind([0x61, 0, 0x62, 0x0A]) == "binary data (25 % NUL bytes)")
    #expect(kind(Array("%PDF-1.4".utf8)) == "a PDF document")
    // As typed input, it is text.
    #expect(kind(Array("%PDF-1.4 is a [MASK]".utf8), isFile: false) == nil)
    #expect(kind([0xFF, 0xFE, 0x48], isFile: false) == "UTF-16 text")
  }
}
