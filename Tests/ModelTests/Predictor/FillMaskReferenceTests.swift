import Foundation
import Testing

@testable import Model
@testable import Text

/// transformers' fill-mask pipeline on a trained model: same candidates, same order, same scores.
@Suite struct FillMaskReferenceTests {
  @Test func pipeline() throws {
    let json = try JSONValue.parse([UInt8](Data(contentsOf: try #require(Reference.url("fill_mask/tiny.json")))))
    let model = try DistilBertMaskedLM.fromPreset(try #require(Reference.trainedModel).path, threads: 2)
    let cases = try #require(json["cases"]?.array)
    #expect(cases.count == 66)
    for example in cases {
      // The output for one text, or a list for several texts.
      let texts = try #require(example["text"]?.string.map { [$0] } ?? example["text"]?.array?.compactMap(\.string))
      let output = try #require(example["output"]?.array)
      for (index, text) in texts.enumerated() {
        try check(text, output: example["text"]?.string == nil ? output[index] : example["output"]!, example, model)
      }
    }
    for failing in json["errors"]?.array ?? [] {
      let text = try #require(failing["text"]?.string)
      #expect(throws: MaskedTextError.noMask(maskToken: "[MASK]", written: nil)) {
        try MaskedText(Array(text.utf8), tokenizer: model.preprocessor!.tokenizer, sequenceLength: 512)
      }
    }
  }

  private func check(_ text: String, output: JSONValue, _ example: JSONValue, _ model: DistilBertMaskedLM) throws {
    let tokenizer = try #require(model.preprocessor?.tokenizer)
    let arguments = example["arguments"] ?? example["parameters"] ?? example
    let topK = arguments["top_k"]?.int ?? 5
    let words = arguments["targets"]?.array?.compactMap(\.string) ?? arguments["targets"]?.string.map { [$0] }
    var targets: [Int]?
    if let words {
      // The pipeline silently takes a target's first piece; we score all of them.
      guard let known = try? tokenizer.targetWords(words), known.allSatisfy({ $0.pieces.count == 1 }) else { return }
      targets = known.map { $0.pieces[0] }
    }
    let masked = try MaskedText(Array(text.utf8), tokenizer: tokenizer, sequenceLength: 512)
    let ranked = try model.rank([masked.sample], topK: topK, targets: targets)[0]
    let expected = masked.masks.count == 1 ? [output.array ?? []] : (output.array ?? []).map { $0.array ?? [] }
    #expect(ranked.count == expected.count, "\(text)")
    for (mine, theirs) in zip(ranked, expected) {
      #expect(mine.count == theirs.count, "\(text)")
      for (rank, (candidate, reference)) in zip(mine, theirs).enumerated() {
        let score = try #require(reference["score"]?.double)
        #expect(abs(Double(candidate.probability) - score) < 1e-5, "\(text)")
        // Two candidates may be swapped if their scores are equal to 1e-6.
        let same = theirs.indices.filter { abs((theirs[$0]["score"]?.double ?? 0) - score) < 1e-6 }
        #expect(
          same.contains { theirs[$0]["token"]?.int == candidate.token } || rank == theirs.count - 1 && same.count > 1,
          "\(text)")
        guard reference["token"]?.int == candidate.token else { continue }
        #expect(reference["token_str"]?.string == tokenizer.vocabulary.piece(candidate.token))
      }
    }
  }
}
