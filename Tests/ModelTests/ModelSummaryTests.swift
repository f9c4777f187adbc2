import Testing

@testable import Model

@Suite struct ModelSummaryTests {
  /// The counts that KerasHub publishes for its presets, and counts that follow from its layers' definitions.
  @Test func countsOfTheBaseModel() throws {
    let summary = ModelSummary(Configuration())
    #expect(summary.parameterCount == 66_985_530 && summary.trainableParameterCount == 66_985_530)
    #expect(
      summary.layers.map(\.name) == ["mask_positions", "padding_mask", "token_ids", "distil_bert_backbone", "mlm_head"])
    #expect(summary.layers.map(\.parameterCount) == [0, 0, 0, 66_362_880, 24_063_546])
    #expect(summary.layers[3].outputShape == [nil, nil, 768] && summary.layers[4].outputShape == [nil, nil, 30522])
    let parts = summary.layers[3].parts
    #expect(parts.map(\.parameterCount) == [23_834_112, 1536, 0] + [Int](repeating: 7_087_872, count: 6))
    #expect(parts.last?.name == "transformer_layer_5")
  }

  /// KerasHub's table of presets.
  @Test(arguments: [(28996, 65_190_912), (119_547, 134_734_080)])
  func countsOfOtherPresets(_ vocabulary: Int, _ count: Int) {
    #expect(ModelSummary(Configuration(vocabularySize: vocabulary)).layers[3].parameterCount == count)
  }

  @Test func anOutputMatrixOfItsOwnIsCounted() {
    var untied = Configuration()
    untied.tiesWeights = false
    let summary = ModelSummary(untied)
    // The same number as KerasHub shows for the head, without sharing.
    #expect(summary.parameterCount == 66_985_530 + 30522 * 768 && summary.sharedParameterCount == 0)
    #expect(summary.layers[3].parameterCount == 66_362_880 && summary.layers[4].parameterCount == 24_063_546)
    #expect(!summary.description.contains("shares"))
  }

  @Test func whatIsFrozenIsCounted() throws {
    let model = try SmallModel.micro()
    let backbone = model.configuration.backboneParameterCount
    #expect(model.summary().frozenParameterCount == 0)
    model.backbone.isTrainable = false
    #expect(model.summary().frozenParameterCount == backbone)
    #expect(model.summary().trainableParameterCount == model.configuration.parameterCount - backbone)
    #expect(model.backbone.summary().trainableParameterCount == 0)
    #expect(model.summary().vocabularyCount == 256)
  }

  @Test func asText() throws {
    let configuration = Configuration(
      vocabularySize: 1000, hiddenDim: 8, numLayers: 1, numHeads: 2, intermediateDim: 16, maxSequenceLength: 12)
    #expect(
      ModelSummary(configuration, vocabularyCount: 999).description == """
        distil_bert_masked_lm
          preprocessor: 999 word pieces
          layer                           type                       output shape      parameters
          mask_positions                  InputLayer                 (any, any)                 0
          padding_mask                    InputLayer                 (any, any)                 0
          token_ids                       InputLayer                 (any, any)                 0
          distil_bert_backbone            DistilBertBackbone         (any, any, 8)          8,712
            token_and_position_embedding  TokenAndPositionEmbedding  (any, any, 8)          8,096
            embeddings_layer_norm         LayerNormalization         (any, any, 8)             16
            embeddings_dropout            Dropout                    (any, any, 8)              0
            transformer_layer_0           TransformerEncoder         (any, any, 8)            600
          mlm_head                        MaskedLMHead               (any, any, 1000)       9,088
          9,800 parameters: 9,800 trainable, 0 frozen
          (the head shares the token embedding's 8,000 parameters; they count once)
        """)
  }
}
