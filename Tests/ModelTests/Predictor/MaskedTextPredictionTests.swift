import Testing

@testable import Model

/// `predict` on texts, pairs and streams.
@Suite struct MaskedTextPredictionTests {
  @Test func textsAreAnsweredAsRanked() throws {
    let model = try SmallModel.micro()
    let tokenizer = try #require(model.preprocessor?.tokenizer)
    let texts = ["the [MASK] fox", "[MASK] and [MASK] ."]
    let answers = try model.predict(texts, topK: 3)
    #expect(answers.map { $0.masks.map(\.count) } == [[3], [3, 3]])
    for (text, answer) in zip(texts, answers) {
      let sample = try MaskedText(Array(text.utf8), tokenizer: tokenizer, sequenceLength: 48).sample
      let ranked = try model.rank([sample], topK: 3)[0]
      #expect(answer.masks.map { $0.map(\.token) } == ranked.map { $0.map(\.token) })
      #expect(answer.masks[0][0].piece == tokenizer.vocabulary.piece(ranked[0][0].token))
    }
    let best = answers[0].masks[0][0].piece
    #expect(answers[0].filled == ["the \(best.hasPrefix("##") ? String(best.dropFirst(2)) : best) fox"])
  }

  @Test func targetsAlone() throws {
    let model = try SmallModel.micro()
    let words = [try #require(model.preprocessor).tokenizer.vocabulary.piece(60)]
    let candidates = try model.predict(["the [MASK]"], targets: words)[0].masks[0]
    #expect(candidates.map(\.token) == [60] && candidates[0].probability < 1)
    #expect(throws: ModelUseError.self) { try model.predict(["the [MASK]"], targets: ["☃"]) }
  }

  @Test func theTextThatHasNoAnswerIsNamed() throws {
    let model = try SmallModel.micro()
    let error = #expect(throws: PredictionError.self) { try model.predict(["a [MASK]", "no mask"]) }
    #expect(error?.index == 1 && error?.message.hasPrefix("text 1: ") == true)
  }

  @Test func pairs() throws {
    let model = try SmallModel.micro()
    let answer = try model.predict(pairs: [("the [MASK] fox", "a [MASK] [MASK]")], topK: 2)[0]
    #expect(answer.masks.map(\.count) == [2, 2, 2] && answer.filled.count == 2)
    #expect(!answer.filled.joined().contains("[MASK]"))
    // The ids are those that the preprocessor packs, including masks.
    let tokenizer = try #require(model.preprocessor?.tokenizer)
    let special = tokenizer.specialTokens
    func ids(_ text: String) -> [Int32] { tokenizer.encode(text, specialTokensInText: .maskOnly) }
    let packed =
      [special.classification] + ids("the [MASK] fox") + [special.separator] + ids("a [MASK] [MASK]")
      + [special.separator]
    let sample = Sample(
      tokenIDs: packed, maskPositions: packed.indices.filter { packed[$0] == special.mask }.map { Int32($0) })
    let ranked = try model.rank([sample], topK: 2)[0]
    #expect(answer.masks.map { $0.map(\.token) } == ranked.map { $0.map(\.token) })
    #expect(throws: PredictionError.self) { try model.predict(pairs: [("a", "b")]) }
    let long = String(repeating: "a ", count: 100)
    #expect(throws: PredictionError.self) { try model.predict(pairs: [(long + "[MASK]", long)]) }
    #expect(try model.predict(pairs: [("[MASK] " + long, long)])[0].notes.count == 1)
  }

  /// Lines are read on demand and answered in order.
  @Test func linesAreReadLazily() throws {
    let model = try SmallModel.micro()
    var read = 0
    let lines = AnySequence {
      AnyIterator { () -> String? in
        guard read < 10 else { return nil }
        defer { read += 1 }
        return read == 3 ? "nothing here" : "line [MASK]"
      }
    }
    var (numbers, readAtFirst, failed) = ([Int](), 0, [Int]())
    try model.predict(lines: lines, topK: 1, batchSize: 4) { line, answer in
      if line == 0 { readAtFirst = read }
      numbers.append(line)
      switch answer {
      case .success(let answer): #expect(answer.masks.map(\.count) == [1])
      case .failure(let error):
        failed.append(line)
        #expect(error == .noMask(maskToken: "[MASK]", written: nil))
      }
    }
    #expect(numbers == Array(0..<10) && readAtFirst == 4 && failed == [3])
    struct Enough: Error {}
    read = 0
    #expect(throws: Enough.self) { try model.predict(lines: lines, batchSize: 2) { _, _ in throw Enough() } }
    #expect(read == 2)
  }

  /// Each line is answered before the next one is read.
  @Test func linesThatCome() async throws {
    let model = try SmallModel.micro()
    let (lines, feed) = AsyncStream.makeStream(of: String.self)
    feed.yield("the [MASK]")
    var answers = 0
    try await model.predict(lines: lines, topK: 1) { line, answer in
      #expect(line == answers)
      answers += 1
      if answers < 3 { feed.yield("the [MASK] fox") } else { feed.finish() }
    }
    #expect(answers == 3)
  }
}
