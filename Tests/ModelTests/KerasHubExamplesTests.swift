import Testing

@testable import Model

/// The examples of KerasHub's pages on DistilBertMaskedLM, its preprocessor, tokenizer and backbone, in Swift.
///
/// The order, the words and the numbers are those of the pages. The preset is the embedded one, without its weights, or
/// a model directory if weights matter.
@Suite struct KerasHubExamplesTests {
  let preset = "distil_bert_tiny_en_uncased"

  // MARK: DistilBertMaskedLM

  @Test func rawStrings() throws {
    let features = ["The quick brown fox jumped.", "I forgot my homework."]

    // Pretrained language model.
    let maskedLM = try DistilBertMaskedLM.fromPreset(SmallModel.micro)
    try maskedLM.fit(features, batchSize: 2)
    #expect(maskedLM.hasTrainedHead)

    // Re-compile, with a new learning rate.
    maskedLM.compile(optimizer: .adam(learningRate: 5e-5))
    // Access the backbone, to freeze it.
    maskedLM.backbone.isTrainable = false
    // Fit again.
    let before = try maskedLM.backbone(tokenIDs: [[1, 2, 3]])
    try maskedLM.fit(features, batchSize: 2)
    #expect(try maskedLM.backbone(tokenIDs: [[1, 2, 3]]) == before)
  }

  @Test func preprocessedIntegers() throws {
    // A preprocessed batch where 0 is the mask token.
    let features = MaskedLMFeatures(
      tokenIDs: Array(repeating: [1, 2, 0, 4, 0, 6, 7, 8], count: 2),
      paddingMask: Array(repeating: [1, 1, 1, 1, 1, 1, 1, 1], count: 2),
      maskPositions: Array(repeating: [2, 4], count: 2))
    // Labels are the original masked values.
    let labels = Array(repeating: [3, 5], count: 2)

    let maskedLM = try DistilBertMaskedLM.fromPreset(preset, loadWeights: false, preprocessor: nil)
    try maskedLM.fit(features, labels: labels, batchSize: 2)

    let logits = try maskedLM.predict(features)
    #expect(logits.map { $0.map(\.count) } == [[8192, 8192], [8192, 8192]])
    #expect(logits[0] == logits[1])
    #expect(try maskedLM.evaluate(features, labels: labels).maskedTokens == 4)
    #expect(throws: ModelUseError.noPreprocessor) { try maskedLM.fit(["text"]) }
    #expect(throws: ModelUseError.noPreprocessor) { try maskedLM.predict(["[MASK]"]) }
  }

  // MARK: DistilBertMaskedLMPreprocessor

  @Test func preprocessor() throws {
    let preprocessor = try DistilBertMaskedLMPreprocessor.fromPreset(preset)

    // Tokenize and mask a single sentence.
    let (one, _, _) = try preprocessor("The quick brown fox jumped.")
    #expect(one.count == 1 && one.tokenIDs[0].count == preprocessor.sequenceLength)

    // Tokenize and mask a batch of single sentences.
    let (x, y, sampleWeight) = try preprocessor(["The quick brown fox jumped.", "Call me Ishmael."])
    #expect(x.count == 2 && y.count == 2 && sampleWeight.map(\.count) == [96, 96])

    // Tokenize and mask sentence pairs.
    let first = ["The quick brown fox jumped.", "Call me Ishmael."]
    let second = ["The fox tripped.", "Oh look, a whale."]
    let (pairs, _, _) = try preprocessor(first, second)
    let separator = Int(preprocessor.tokenizer.specialTokens.separator)
    #expect(pairs.tokenIDs.map { $0.count { $0 == separator } } == [2, 2])
    #expect(throws: PreprocessorError.self) { try preprocessor(first, ["The fox tripped."]) }
  }

  /// KerasHub maps a tf.data.Dataset; here it is any sequence.
  @Test func preprocessorMapped() throws {
    var preprocessor = try DistilBertMaskedLMPreprocessor.fromPreset(preset)
    preprocessor.sequenceLength = 16
    let first = ["The quick brown fox jumped.", "Call me Ishmael."]
    let second = ["The fox tripped.", "Oh look, a whale."]

    // Map single sentences.
    let singles = try first.enumerated().map { try preprocessor($1, index: $0).0 }.flatMap(\.tokenIDs)
    #expect(singles.map(\.count) == [16, 16])
    #expect(try preprocessor(first).0.tokenIDs == singles)

    // Map sentence pairs.
    let pairs = try zip(first, second).map { try preprocessor([$0], [$1]).0 }.flatMap(\.tokenIDs)
    #expect(pairs.map(\.count) == [16, 16])
  }

  // MARK: DistilBertTokenizer

  @Test func tokenizer() throws {
    // Unbatched input.
    let tokenizer = try DistilBertTokenizer.fromPreset(preset)
    #expect(tokenizer("The quick brown fox jumped.").count >= 6)

    // Batched input.
    let rows = tokenizer(["The quick brown fox jumped.", "The fox slept."])
    #expect(rows.map(\.isEmpty) == [false, false])

    // Detokenization.
    #expect(tokenizer.detokenize(tokenizer("The quick brown fox jumped.")) == "the quick brown fox jumped.")

    // Custom vocabulary.
    let vocabulary =
      ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"] + ["The", "quick", "brown", "fox", "jumped", "."]
    let own = try DistilBertTokenizer(vocabulary: vocabulary)
    #expect(own("The quick brown fox jumped.") == [5, 6, 7, 8, 9, 10])
    #expect(throws: TokenizerError.self) { try DistilBertTokenizer(vocabulary: ["a", "b"]) }
  }

  // MARK: DistilBertBackbone

  @Test func backbone() throws {
    let tokenIDs = [[Int](repeating: 1, count: 12)]
    let paddingMask = [[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]]

    // Pretrained DistilBERT encoder.
    let model = try DistilBertBackbone.fromPreset(SmallModel.micro)
    let width = model.configuration.hiddenDim
    #expect(
      try model(tokenIDs: tokenIDs, paddingMask: paddingMask).map { $0.map(\.count) } == [
        [Int](repeating: width, count: 10)
      ])

    // Randomly initialized DistilBERT encoder with custom config.
    let custom = try DistilBertBackbone(
      vocabularySize: 30552, numLayers: 4, numHeads: 4, hiddenDim: 256, intermediateDim: 512, maxSequenceLength: 128)
    #expect(
      try custom(tokenIDs: tokenIDs, paddingMask: paddingMask).map { $0.map(\.count) }
        == [[Int](repeating: 256, count: 10)])
  }
}
