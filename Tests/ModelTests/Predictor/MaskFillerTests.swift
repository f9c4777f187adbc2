import Testing

@testable import Model

/// All kinds of questions, compared with functions that answer one sample at a time.
@Suite struct MaskFillerTests {
  private let model: DistilBertMaskedLM
  private let tokenizer: WordPieceTokenizer
  private let text = Array("the [MASK] and \u{9}[MASK].".utf8)

  init() throws {
    model = try SmallModel.micro()
    tokenizer = try #require(model.preprocessor?.tokenizer)
  }

  private func answer(_ question: MaskFiller.Question, _ text: [UInt8]? = nil) throws -> MaskedTextPrediction {
    let filler = try MaskFiller(model, question)
    return try filler.answers(to: [filler.prepare(text ?? self.text)])[0].get()
  }

  private func sample(_ text: [UInt8]) throws -> Sample {
    try MaskedText(text, tokenizer: tokenizer, sequenceLength: 48).sample
  }

  @Test func anyPiece() throws {
    let answer = try answer(MaskFiller.Question(topK: 3))
    let ranked = try model.rank([sample(text)], topK: 3)[0]
    #expect(answer.masks.map { $0.map(\.probability) } == ranked.map { $0.map(\.probability) })
    #expect(answer.masks.map { $0.map(\.tokens) } == ranked.map { $0.map { [$0.token] } })
    #expect(answer.fillings == nil && answer.notes.isEmpty && answer.segments == ["the [MASK] and \u{9}[MASK]."])
  }

  /// Words of several pieces, mixed with words of one, are scored as by `score`.
  @Test func wordsOfSeveralPieces() throws {
    let one = tokenizer.vocabulary.piece(60)
    let answer = try answer(MaskFiller.Question(targets: [one, "no such piece"]))
    let words = try tokenizer.targetWords([one, "no such piece"])
    let scores = try model.score(words, in: sample(text), maskToken: tokenizer.specialTokens.mask)
    #expect(words[1].pieces.count > 1)
    for (candidates, scores) in zip(answer.masks, scores) {
      #expect(candidates.map(\.tokens) == scores.map(\.word.pieces))
      #expect(candidates.map(\.probability) == scores.map { Float($0.probability) })
      let long = try #require(candidates.first { $0.tokens.count > 1 })
      #expect(long.piece == "no such piece" && long.token == nil)
    }
    // The same question through the model.
    let prediction = try model.predict([String(decoding: text, as: UTF8.self)], targets: [one, "no such piece"])[0]
    #expect(prediction == answer)
  }

  @Test func jointly() throws {
    let answer = try answer(MaskFiller.Question(topK: 3, isJoint: true))
    let expected = try model.fillJointly(sample(text), topK: 3)
    let fillings = try #require(answer.fillings)
    #expect(fillings.map(\.tokens) == expected.map(\.tokens) && answer.masks.isEmpty)
    #expect(fillings.map(\.probability) == expected.map { Float($0.probability) })
    #expect(!answer.filled[0].contains("[MASK]") && answer.filled[0].contains("\u{9}"))
    #expect(try model.predict([String(decoding: text, as: UTF8.self)], topK: 3, jointly: true)[0] == answer)
    #expect(throws: ModelUseError.self) { try model.predict(["[MASK]"], targets: ["no such piece"], jointly: true) }
  }

  @Test func fewerCandidates() throws {
    var question = MaskFiller.Question(topK: 5)
    let all = try answer(question).masks
    question.minimumProbability = Double(all[0][2].probability)
    let some = try answer(question)
    #expect(some.masks == all.map { $0.filter { $0.probability >= all[0][2].probability } } && some.masks[0].count == 3)
    question.minimumProbability = 2
    let none = try answer(question)
    #expect(none.masks == [[], []] && none.filledTexts() == [text])

    question = MaskFiller.Question(topK: tokenizer.vocabulary.count)
    question.excludesContinuations = true
    let words = try answer(question).masks[0]
    #expect(!words.isEmpty && words.allSatisfy { !$0.piece.hasPrefix("##") })
    #expect(words.count == (0..<tokenizer.vocabulary.count).count { !tokenizer.vocabulary.isContinuation($0) })
  }

  /// Each input has its own answer, in order.
  @Test func samplesPairsAndErrorsAmongOthers() throws {
    let filler = try MaskFiller(model, MaskFiller.Question(topK: 1))
    let prepared = filler.prepare(try sample(text))
    let pair = try filler.prepare(pair: (Array("a [MASK]".utf8), Array("[MASK] b".utf8)))
    let answers = try filler.answers(to: [
      .failure(.noMask(maskToken: "[MASK]", written: nil)), .success(prepared), .success(pair),
    ])
    #expect(answers[0] == .failure(.noMask(maskToken: "[MASK]", written: nil)))
    let sampleAnswer = try answers[1].get()
    #expect(sampleAnswer.masks == (try answer(MaskFiller.Question(topK: 1))).masks && sampleAnswer.segments.isEmpty)
    #expect(try answers[2].get().places == [[2..<8], [0..<6]])
  }

  /// Invalid UTF-8 around the mask is unchanged.
  @Test func bytesAreLeftAlone() throws {
    let bytes: [UInt8] = [0xFF, 0x20] + Array("[MASK]".utf8) + [0x20, 0xC3]
    let answer = try answer(MaskFiller.Question(topK: 1, targets: ["a"]), bytes)
    #expect(answer.filledTexts() == [[0xFF, 0x20, 0x61, 0x20, 0xC3]])
    #expect(answer.texts(fillingMask: 0, with: answer.masks[0][0]) == answer.filledTexts())
    #expect(answer.filledTexts { $0 + "!" } == [[0xFF, 0x20, 0x61, 0x21, 0x20, 0xC3]])
  }

  @Test func targetsWithoutRoom() throws {
    var question = MaskFiller.Question(targets: ["no such piece"])
    question.sequenceLength = 8
    #expect(throws: ModelUseError.targetTooLong) { try MaskFiller(model, question) }
    question.sequenceLength = 48
    question.expandsMasks = false
    #expect(throws: ModelUseError.self) { try MaskFiller(model, question) }
  }

  @Test func scoresThatAreNoNumbers() throws {
    let bias = try #require(model.network.parameters["vocab_projector.bias"])
    model.network.parameters.makeTrainable()
    bias.values[7] = .nan
    #expect(throws: PredictionError(index: 0, cause: .scoresNotFinite)) { try model.predict(["a [MASK]"], topK: 300) }
    let joint = try model.predictFirst("a [MASK]", jointly: true)
    #expect(joint == .failure(.scoresNotFinite))
  }
}

extension DistilBertMaskedLM {
  fileprivate func predictFirst(_ line: String, jointly: Bool) throws -> Result<MaskedTextPrediction, MaskedTextError>?
  {
    var first: Result<MaskedTextPrediction, MaskedTextError>?
    try predict(lines: [line], jointly: jointly) { _, answer in first = answer }
    return first
  }
}
