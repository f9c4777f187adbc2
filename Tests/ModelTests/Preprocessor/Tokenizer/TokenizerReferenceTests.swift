import Foundation
import Testing

@testable import Model

/// Every line of the reference data for the three vocabularies of BERT, written by Hugging Face's tokenizers and
/// transformers.
@Suite struct TokenizerReferenceTests {
  static let vocabularies = [
    "uncased": "bert_base_uncased.txt", "cased": "bert_base_cased.txt",
    "multi_cased": "bert_base_multilingual_cased.txt",
  ]

  static let tokenizers: [String: WordPieceTokenizer] = vocabularies.reduce(into: [:]) { result, entry in
    guard let url = Reference.url("vocab/\(entry.value)"), let data = try? Data(contentsOf: url) else { return }
    let options = WordPieceTokenizer.Options(lowercase: entry.key == "uncased")
    result[entry.key] = try? WordPieceTokenizer(
      vocabulary: Vocabulary(vocabTXT: [UInt8](data), file: entry.value), options: options)
  }

  struct Expected: Decodable {
    var ids: [Int32]
    var tokens: [String]?
    var offsets: [[Int]]?
    var byte_offsets: [[Int]]?
  }

  struct Row: Decodable {
    var name: String
    var text: String
    var uncased: Expected?
    var cased: Expected?
    var multi_cased: Expected?
    var expected: [(String, Expected)] {
      [("uncased", uncased), ("cased", cased), ("multi_cased", multi_cased)].compactMap { name, value in
        value.map { (name, $0) }
      }
    }
  }

  struct IDRow: Decodable {
    var name: String
    var text: String
    var uncased: [Int32]?
    var cased: [Int32]?
    var multi_cased: [Int32]?
  }

  @Test(arguments: ["unicode", "languages"])
  func idsTokensAndOffsets(file: String) throws {
    let rows = try jsonLines(#require(Reference.url("tokenizer/\(file).jsonl")), as: Row.self)
    #expect(rows.count > 50)
    for row in rows {
      for (setting, expected) in row.expected {
        let tokenizer = try #require(Self.tokenizers[setting])
        let encoding = tokenizer.encodeWithOffsets(row.text, specialTokensInText: .all)
        #expect(encoding.ids == expected.ids, "\(row.name) \(setting)")
        #expect(tokenizer.encode(row.text, specialTokensInText: .all) == expected.ids, "\(row.name) \(setting)")
        // Compared by bytes: String's == would merge canonically equivalent pieces.
        if let tokens = expected.tokens {
          #expect(tokenizer.tokens(encoding.ids).map { Array($0.utf8) } == tokens.map { Array($0.utf8) }, "\(row.name)")
        }
        if let offsets = expected.byte_offsets ?? expected.offsets {
          #expect(encoding.offsets.map { [$0.lowerBound, $0.upperBound] } == offsets, "\(row.name) \(setting)")
        }
      }
    }
  }

  @Test(arguments: ["fuzz", "english"])
  func ids(file: String) throws {
    let rows = try jsonLines(#require(Reference.url("tokenizer/\(file).jsonl")), as: IDRow.self)
    #expect(rows.count >= 250)
    for row in rows {
      for (setting, expected) in [("uncased", row.uncased), ("cased", row.cased), ("multi_cased", row.multi_cased)] {
        guard let expected else { continue }
        let tokenizer = try #require(Self.tokenizers[setting])
        #expect(tokenizer.encode(row.text, specialTokensInText: .all) == expected, "\(row.name) \(setting)")
        #expect(tokenizer.encodeWithOffsets(row.text, specialTokensInText: .all).ids == expected)
      }
    }
  }

  struct PairRow: Decodable {
    var vocab: String
    var first: String
    var second: String
    var ids: [Int32]
  }

  @Test func pairs() throws {
    for row in try jsonLines(#require(Reference.url("tokenizer/pairs.jsonl")), as: PairRow.self) {
      let tokenizer = try #require(Self.tokenizers[row.vocab])
      let special = tokenizer.specialTokens
      let first = tokenizer.encode(row.first, specialTokensInText: .all)
      let second = tokenizer.encode(row.second, specialTokensInText: .all)
      #expect([special.classification] + first + [special.separator] + second + [special.separator] == row.ids)
    }
  }

  @Test func decode() throws {
    let url = try #require(Reference.url("tokenizer/decode.jsonl"))
    for line in try Data(contentsOf: url).split(separator: 0x0A) {
      let row = try #require(JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
      let ids = try #require(row["ids"] as? [NSNumber]).map(\.int32Value)
      let setting = try #require(row["vocab"] as? String)
      let tokenizer = try #require(Self.tokenizers[setting])
      var options = tokenizer.options
      options.decoderCleansUp = false
      let plain = try WordPieceTokenizer(vocabulary: tokenizer.vocabulary, options: options)
      for skip in [true, false] {
        let once = row["tokenizers_skip_\(skip)_cleanup_true"] as? String
        let twice = row["transformers_skip_\(skip)_cleanup_true"] as? String ?? once
        let onceInTransformers = row["transformers_skip_\(skip)_cleanup_false"] as? String ?? once
        let none = row["tokenizers_skip_\(skip)_cleanup_false"] as? String
        func decoded(_ tokenizer: WordPieceTokenizer, _ cleanUp: Bool) -> [UInt8] {
          Array(tokenizer.decode(ids, skipSpecialTokens: skip, cleanUp: cleanUp).utf8)
        }
        #expect(decoded(tokenizer, false) == once.map { Array($0.utf8) })
        #expect(decoded(tokenizer, false) == onceInTransformers.map { Array($0.utf8) })
        #expect(decoded(tokenizer, true) == twice.map { Array($0.utf8) })
        #expect(decoded(plain, false) == none.map { Array($0.utf8) })
      }
    }
  }

  /// The five pairs of canonically equivalent pieces remain separate.
  @Test func canonicallyEquivalentPieces() throws {
    let vocabulary = try #require(Self.tokenizers["multi_cased"]).vocabulary
    #expect(vocabulary.count == 119_547)
    for (first, second) in [(586, 90061), (1829, 1886), (1830, 1887), (111_713, 111_769), (111_714, 111_770)] {
      #expect(vocabulary.piece(first) == vocabulary.piece(second))
      #expect(vocabulary.id(of: vocabulary.piece(first)) == Int32(first))
      #expect(vocabulary.id(of: vocabulary.piece(second)) == Int32(second))
    }
  }
}
