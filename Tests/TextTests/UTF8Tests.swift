import Testing

@testable import Text

@Suite struct UTF8ValidationTests {
  /// Compared with the standard library's decoder, for every string of up to three critical bytes, at every alignment.
  @Test func countsAsTheStandardLibraryReplaces() {
    let critical: [UInt8] = [
      0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF,
    ]
    for a in critical {
      for b in critical {
        for c in critical {
          for tail in [[], [0x80] as [UInt8]] {
            let bytes = [a, b, c] + tail
            let replaced = String(decoding: bytes, as: UTF8.self).unicodeScalars.count(where: { $0 == "\u{FFFD}" })
            let counted = bytes.withUnsafeBufferPointer { UTF8Validation.count($0).count }
            #expect(counted == replaced, "\(bytes)")
          }
        }
      }
    }
  }

  @Test func firstInvalidByte() {
    let text = Array("0123456789 äöü € 𝄞 ".utf8)
    #expect(text.withUnsafeBufferPointer { UTF8Validation.count($0).first } == nil)
    for index in 0...40 {
      var bytes = [UInt8](repeating: 0x61, count: 41)
      bytes[index] = 0xFF
      let (count, first) = bytes.withUnsafeBufferPointer { UTF8Validation.count($0) }
      #expect(count == 1 && first == index)
    }
    // U+FFFD itself is UTF-8.
    #expect(Array("\u{FFFD}".utf8).withUnsafeBufferPointer { UTF8Validation.count($0).count } == 0)
  }
}
