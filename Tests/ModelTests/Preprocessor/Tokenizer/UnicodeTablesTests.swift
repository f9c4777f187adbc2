import Foundation
import Testing

@testable import Model
@testable import Text

struct UnicodeTablesTests {
  typealias Flags = UnicodeTables.Flags

  func flags(_ scalar: UInt32) -> UInt16 { UnicodeTables.shared.entry(scalar).pointee.flags }

  @Test func samples() {
    #expect(flags(0x200B) == Flags.removed)
    #expect(flags(0xA0) == Flags.blank | Flags.whitespace)
    #expect(flags(0x4E2D) == Flags.chinese)
    #expect(flags(0x2014) == Flags.punctuation)
    #expect(flags(0x301) == Flags.mark | Flags.combining)
    #expect(flags(0xC9) == Flags.decomposes | Flags.capital)
    #expect(flags(0x10FFFD) == Flags.removed)
    #expect(flags(0x10FFFF) == 0)
    #expect(flags(0xAC00) == Flags.decomposes && flags(0xD7A3) == Flags.decomposes && flags(0xD7A4) == 0)
  }

  /// `TextNormalizer` classifies ASCII by hand; the tables must agree.
  @Test func asciiAgrees() {
    let classes = TextNormalizer(stripsAccents: true, lowercases: true).byteClasses()
    for byte in 0..<0x80 {
      let flags = flags(UInt32(byte))
      let expected =
        if flags & Flags.removed != 0 { TextNormalizer.ByteClass.removed } else if flags & Flags.blank != 0 {
          TextNormalizer.ByteClass.blank
        } else if flags & Flags.punctuation != 0 { TextNormalizer.ByteClass.punctuation } else {
          TextNormalizer.ByteClass.letter
        }
      #expect(classes[byte] == expected, "byte \(byte)")
    }
  }

  /// Compares every scalar with the file from which the tables were made.
  @Test func everyScalar() throws {
    let url = try #require(Reference.url("tokenizer/scalar_properties.json"))
    let data = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
    func value(_ text: Substring) -> UInt32 { UInt32(text, radix: 16) ?? .max }
    for (name, flag) in [
      ("clean_text_removed", Flags.removed), ("chinese_padded_with_blanks", Flags.chinese),
      ("pre_tokenizer_whitespace", Flags.whitespace), ("pre_tokenizer_punctuation", Flags.punctuation),
      ("strip_accents_removed", Flags.mark),
    ] {
      var wanted = [Bool](repeating: false, count: 0x110000)
      for range in try #require(data[name] as? [[String]]) {
        for scalar in value(range[0][...])...value(range[range.count - 1][...]) { wanted[Int(scalar)] = true }
      }
      #expect((0..<0x110000).allSatisfy { (flags(UInt32($0)) & flag != 0) == wanted[$0] }, "\(name)")
    }
    let decompositions = try #require(data["strip_accents_single_scalar_result"] as? [String: String])
    for (scalar, result) in decompositions {
      let entry = UnicodeTables.shared.entry(value(scalar[...])).pointee
      let outputs = (0..<Int(entry.outputCount)).map { UnicodeTables.shared.output(Int(entry.output) + $0) }
      #expect(outputs == result.split(separator: " ").map(value), "\(scalar)")
    }
    for (scalar, result) in try #require(data["lowercase"] as? [String: String]) where scalar != "0130" {
      let entry = UnicodeTables.shared.entry(value(scalar[...])).pointee
      #expect(Int64(value(scalar[...])) + Int64(entry.lowerDifference) == Int64(value(result[...])), "\(scalar)")
    }
  }
}
