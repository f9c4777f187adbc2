import Glibc
import Testing

@testable import Model

/// Joint filling of masks and words of several pieces, compared with the definition, computed one pass at a time.
@Suite struct JointFillingTests {
  let model: DistilBertMaskedLM
  let tokenizer: WordPieceTokenizer

  init() throws {
    model = try .fromPreset(Golden.url("model/micro").path, threads: 2)
    tokenizer = try #require(model.preprocessor?.tokenizer)
  }

  func sample(_ text: String) throws -> Sample {
    try MaskedText(Array(text.utf8), tokenizer: tokenizer, sequenceLength: 40).sample
  }

  /// Returns the probability of a piece at a position in tokens.
  func probability(of token: Int, at position: Int32, _ tokens: [Int32]) throws -> Double {
    let sample = Sample(tokenIDs: tokens, maskPositions: [position])
    return try Double(model.rank([sample], topK: 1, targets: [token])[0][0][0].probability)
  }

  /// A beam as wide as the vocabulary keeps every pair, so the best pair is found.
  @Test func bestOfAllPairs() throws {
    let sample = try sample("the [MASK] and [MASK] .")
    let words = (5..<25).map { $0 }
    let found = try model.fillJointly(sample, topK: 400, beamWidth: 400, targets: words)
    #expect(found.count == 400 && zip(found, found.dropFirst()).allSatisfy { $0.probability >= $1.probability })
    let first = try model.rank([sample], topK: 1, targets: words)[0].map { $0[0].probability }
    // The mask with the more probable best piece is filled first.
    let order = first[0] >= first[1] ? [0, 1] : [1, 0]
    for filling in [found[0], found[199], found[399]] {
      let positions = sample.maskPositions
      var tokens = sample.tokenIDs
      var expected = try probability(of: filling.tokens[order[0]], at: positions[order[0]], tokens)
      tokens[Int(positions[order[0]])] = Int32(filling.tokens[order[0]])
      expected *= try probability(of: filling.tokens[order[1]], at: positions[order[1]], tokens)
      #expect(abs(filling.probability - expected) <= 1e-5 * expected)
    }
    #expect(Set(found.map(\.tokens)).count == 400)
  }

  @Test func oneMaskIsTheRanking() throws {
    let sample = try sample("the [MASK] .")
    let ranked = try model.rank([sample], topK: 4)[0][0]
    let found = try model.fillJointly(sample, topK: 4)
    #expect(found.map(\.tokens) == ranked.map { [$0.token] })
    for (a, b) in zip(found, ranked) { #expect(abs(a.probability - Double(b.probability)) < 1e-7) }
    #expect(try model.fillJointly(Sample(tokenIDs: sample.tokenIDs), topK: 4) == [Filling(tokens: [], probability: 1)])
  }

  @Test func manyMasks() throws {
    let sample = try sample("[MASK] [MASK] the [MASK] [MASK] .")
    let found = try model.fillJointly(sample, topK: 3)
    #expect(found.count == 3 && found.allSatisfy { $0.tokens.count == 4 && $0.probability > 0 })
    #expect(try found == model.fillJointly(sample, topK: 3, batchRows: 8))
  }

  /// The product of the pieces' probabilities, each with the previous pieces filled in.
  @Test func wordsOfSeveralPieces() throws {
    let sample = try sample("the [MASK] and [MASK] .")
    let mask = tokenizer.specialTokens.mask
    let words = [TargetWord(text: "one", pieces: [7]), TargetWord(text: "three", pieces: [9, 11, 8])]
    let scores = try model.score(words, in: sample, maskToken: mask, topK: 5)
    #expect(scores.count == 2 && scores.allSatisfy { $0.count == 2 && $0[0].probability >= $0[1].probability })
    for (position, scores) in zip(sample.maskPositions, scores) {
      for score in scores {
        var tokens = sample.tokenIDs
        tokens.replaceSubrange(
          Int(position)...Int(position), with: [Int32](repeating: mask, count: score.word.pieces.count))
        var expected = 1.0
        for (offset, piece) in score.word.pieces.enumerated() {
          expected *= try probability(of: piece, at: position + Int32(offset), tokens)
          tokens[Int(position) + offset] = Int32(piece)
        }
        #expect(abs(score.probability - expected) <= 1e-5 * expected)
      }
    }
    #expect(try model.score(words, in: sample, maskToken: mask, topK: 1).map(\.count) == [1, 1])
  }
}
