import Foundation
import TestSupport
import Testing

@testable import Model
@testable import Text

/// Tokenizer files of many kinds, added tokens with all their flags, and hard texts: compares ids and offsets with
/// those of transformers (`Scripts/generate-tokenizer-cases`).
struct TokenizerCasesTests {
  struct Case: CustomTestStringConvertible {
    let seed: Int
    let config: JSONValue
    let tokenizer: JSONValue
    let texts: [String]
    let ids: [[Int]]
    let offsets: [[[Int]]]
    var testDescription: String { "seed \(seed)" }
  }

  static func cases() throws -> (vocabulary: [String], cases: [Case]) {
    let lines = try Data(contentsOf: Golden.url("tokenizer_cases.jsonl")).split(separator: 0x0A)
    let vocabulary = try JSONValue.parse(Array(lines[0])).array ?? []
    let cases = try lines.dropFirst().map { line in
      let json = try JSONValue.parse(Array(line))
      return Case(
        seed: json["seed"]?.int ?? -1, config: try #require(json["config"]), tokenizer: try #require(json["tokenizer"]),
        texts: (json["texts"]?.array ?? []).compactMap(\.string),
        ids: (json["ids"]?.array ?? []).map { ($0.array ?? []).compactMap(\.int) },
        offsets: (json["offsets"]?.array ?? []).map {
          ($0.array ?? []).map { ($0.array ?? []).compactMap(\.int) }
        })
    }
    return (vocabulary.compactMap(\.string), cases)
  }

  static func load(_ found: Case, _ vocabulary: [String]) throws -> (TemporaryFolder, WordPieceTokenizer) {
    let folder = try TemporaryFolder()
    guard case .object(var members) = found.tokenizer, case .object(var model) = try #require(found.tokenizer["model"])
    else { throw CocoaError(.coderInvalidValue) }
    model.append(("vocab", .object(vocabulary.enumerated().map { ($1, .number($0)) })))
    members.removeAll { $0.key == "model" }
    members.append(("model", .object(model)))
    try folder.write("tokenizer.json", JSONValue.object(members).serialized(.compact))
    try folder.write("tokenizer_config.json", found.config.serialized(.compact))
    return (folder, try WordPieceTokenizer.load(directory: folder.path))
  }

  func expect(_ tokenizer: WordPieceTokenizer, _ found: Case) {
    for (index, text) in found.texts.enumerated() {
      let encoding = tokenizer.encodeWithOffsets(text, specialTokensInText: .all)
      #expect(encoding.ids.map(Int.init) == found.ids[index], "seed \(found.seed): \(text.debugDescription)")
      #expect(
        encoding.offsets.map { [$0.lowerBound, $0.upperBound] } == found.offsets[index],
        "seed \(found.seed): \(text.debugDescription)")
      var (ids, starts): ([Int32], [Bool]) = ([], [])
      Array(text.utf8).withUnsafeBufferPointer {
        tokenizer.encode($0, specialTokensInText: .all, into: &ids, wordStarts: &starts)
      }
      #expect(ids == encoding.ids && starts == encoding.wordStarts, "seed \(found.seed): \(text.debugDescription)")
      // Twice, so that the second pass uses the cache.
      for _ in 0..<2 {
        #expect(
          tokenizer.encode(text, specialTokensInText: .all).map(Int.init) == found.ids[index],
          "cached, seed \(found.seed): \(text.debugDescription)")
      }
    }
  }

  @Test func idsAndOffsets() throws {
    let (vocabulary, cases) = try Self.cases()
    #expect(cases.count > 40)
    for found in cases {
      let (_, tokenizer) = try Self.load(found, vocabulary)
      expect(tokenizer, found)
    }
  }

  /// Written files read the same text in the same way.
  @Test func written() throws {
    let (vocabulary, cases) = try Self.cases()
    for found in cases {
      let (_, tokenizer) = try Self.load(found, vocabulary)
      let copy = try TemporaryFolder()
      for (name, bytes) in tokenizer.files(maximumLength: 64) { try copy.write(name, bytes) }
      let again = try WordPieceTokenizer.load(directory: copy.path)
      expect(again, found)
      #expect(again.addedTokens == tokenizer.addedTokens && again.notes.isEmpty, "seed \(found.seed)")
    }
  }

  /// A long text has the same ids whole, cached, and cut at every offset that `safeEnd` allows.
  @Test func textCutWhereItMayBe() throws {
    let (vocabulary, cases) = try Self.cases()
    for found in cases {
      let (_, tokenizer) = try Self.load(found, vocabulary)
      let text = Array(found.texts.joined(separator: " ").utf8)
      text.withUnsafeBufferPointer { text in
        for mode in WordPieceTokenizer.SpecialTokensInText.allCases {
          var (whole, cached, cut): ([Int32], [Int32], [Int32]) = ([], [], [])
          tokenizer.encodeUncached(text, specialTokensInText: mode, into: &whole)
          tokenizer.encode(text, specialTokensInText: mode, into: &cached)
          #expect(cached == whole, "seed \(found.seed) \(mode)")
          var start = 0
          while start < text.count {
            let end = tokenizer.safeEnd(of: text, from: start, atLeast: 1, specialTokensInText: mode)
            let part = UnsafeBufferPointer(rebasing: text[start..<end])
            tokenizer.encodeUncached(part, specialTokensInText: mode, into: &cut)
            start = end
          }
          #expect(cut == whole, "cut, seed \(found.seed) \(mode)")
          var ids: [Int32] = []
          let counted = tokenizer.count(text, specialTokensInText: mode, atMost: whole.count / 2, scratch: &ids)
          var head: [Int32] = []
          let part = UnsafeBufferPointer(rebasing: text[..<counted.bytes])
          tokenizer.encodeUncached(part, specialTokensInText: mode, into: &head)
          var tail: [Int32] = []
          let rest = UnsafeBufferPointer(rebasing: text[counted.bytes...])
          tokenizer.encodeUncached(rest, specialTokensInText: mode, into: &tail)
          #expect(head.count == counted.ids && head + tail == whole, "counted, seed \(found.seed) \(mode)")
        }
      }
    }
  }
}
