import Testing

@testable import Model

@Suite struct DistilBertBackboneTests {
  private func small(seed: UInt64 = 0) throws -> DistilBertBackbone {
    try DistilBertBackbone(
      vocabularySize: 50, numLayers: 2, numHeads: 2, hiddenDim: 8, intermediateDim: 16, maxSequenceLength: 12,
      seed: seed,
      threads: 2)
  }

  /// KerasHub's defaults.
  @Test func defaults() throws {
    let backbone = try DistilBertBackbone(
      vocabularySize: 50, numLayers: 1, numHeads: 2, hiddenDim: 8, intermediateDim: 16)
    #expect(backbone.configuration.dropout == 0.1 && backbone.configuration.attentionDropout == 0.1)
    #expect(backbone.configuration.maxSequenceLength == 512 && backbone.isTrainable)
  }

  @Test func sizesThatMakeNoModelAreRefused() {
    func error(_ hidden: Int = 8, heads: Int = 2, vocabulary: Int = 50, dropout: Float = 0.1) -> ConfigurationError? {
      #expect(throws: ConfigurationError.self) {
        try DistilBertBackbone(
          vocabularySize: vocabulary, numLayers: 1, numHeads: heads, hiddenDim: hidden, intermediateDim: 16,
          dropout: dropout)
      }
    }
    #expect(error(heads: 3) == .headsDoNotDivide(width: 8, heads: 3))
    #expect(error(vocabulary: 0) == .sizeOutOfRange(name: "vocabularySize", value: 0, least: 1, most: 1 << 24))
    #expect(error(dropout: 1) == .rateOutOfRange(name: "dropout", value: 1))
    #expect(error(dropout: .nan)?.message.contains("dropout") == true)
    #expect(error(1 << 16, heads: 1, vocabulary: 1 << 24) != nil)
    #expect(throws: ConfigurationError.self) { try DistilBertMaskedLM(configuration: Configuration(numHeads: 7)) }
  }

  @Test func paddingIsLeftOutAndChangesNothing() throws {
    let backbone = try small()
    let padded = try backbone(
      tokenIDs: [[1, 2, 3, 0, 0], [4, 5, 6, 7, 8]], paddingMask: [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    let plain = try backbone(tokenIDs: [[1, 2, 3]])
    #expect(padded.map(\.count) == [3, 5])
    for (a, b) in zip(padded[0].joined(), plain[0].joined()) { #expect(abs(a - b) < 1e-5) }
    #expect(throws: PreprocessorError.self) { try backbone(tokenIDs: [[1, 50]]) }
    #expect(throws: PreprocessorError.self) { try backbone(tokenIDs: [[Int](repeating: 1, count: 13)]) }
  }

  /// Samples are computed in groups; the number of groups changes nothing.
  @Test func manySamples() throws {
    let backbone = try small()
    let rows = (0..<300).map { [1, 2, $0 % 50, 4, 5] }
    let states = try backbone(tokenIDs: rows)
    #expect(states.count == 300)
    for index in [0, 49, 150, 299] {
      for (a, b) in zip(states[index].joined(), try backbone(tokenIDs: [rows[index]])[0].joined()) {
        #expect(abs(a - b) < 1e-5)
      }
    }
  }

  /// The encoder of a preset equals that of the preset's model; the head is left out.
  @Test func ofAPreset() throws {
    let backbone = try DistilBertBackbone.fromPreset(SmallModel.micro, threads: 2)
    let model = try SmallModel.micro()
    let input = [[2, 57, 4, 80, 3]]
    #expect(try backbone(tokenIDs: input) == model.backbone(tokenIDs: input))
    let new = try DistilBertMaskedLM(backbone: backbone)
    #expect(!new.hasTrainedHead && model.hasTrainedHead)
    let features = MaskedLMFeatures(tokenIDs: input, maskPositions: [[2]])
    #expect(try new.predict(features) != model.predict(features))
  }

  /// KerasHub: `DistilBertMaskedLM(backbone, preprocessor)`. The model's encoder is the same object.
  @Test func modelOfABackbone() throws {
    let backbone = try small()
    backbone.isTrainable = false
    let tokenizer = try SmallTokenizer.unit()
    let model = try DistilBertMaskedLM(
      backbone: backbone, preprocessor: DistilBertMaskedLMPreprocessor(tokenizer: tokenizer, sequenceLength: 8))
    #expect(model.backbone === backbone)
    let before = try backbone(tokenIDs: [[1, 2, 3]])
    try model.fit(["the quick brown fox", "the quick fox"], batchSize: 1)
    #expect(try backbone(tokenIDs: [[1, 2, 3]]) == before)
    backbone.isTrainable = true
    model.compile(optimizer: .adam(learningRate: 1e-2))
    try model.fit(["the quick brown fox", "the quick fox"], batchSize: 1)
    #expect(try backbone(tokenIDs: [[1, 2, 3]]) != before)

    #expect(throws: ModelUseError.backboneIsTaken) { try DistilBertMaskedLM(backbone: backbone) }
    #expect(throws: ModelUseError.backboneIsTaken) { try DistilBertMaskedLM(backbone: SmallModel.micro().backbone) }
    let tiny = try DistilBertBackbone(
      vocabularySize: 3, numLayers: 1, numHeads: 1, hiddenDim: 4, intermediateDim: 4)
    #expect(throws: ModelUseError.vocabularyTooLarge(pieces: tokenizer.vocabulary.count, rows: 3)) {
      try DistilBertMaskedLM(backbone: tiny, preprocessor: model.preprocessor)
    }
  }
}
