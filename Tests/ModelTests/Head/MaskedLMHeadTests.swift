import Testing

@testable import Model

/// The head alone, through its public interface.
@Suite struct MaskedLMHeadTests {
  @Test func backboneAndHeadAreTheModel() throws {
    let model = try SmallModel.micro()
    let features = MaskedLMFeatures(
      tokenIDs: [[2, 57, 4, 80, 3, 0], [2, 4, 60, 61, 62, 3]], paddingMask: [[1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1]],
      maskPositions: [[2], [1, 3]])
    let states = try model.backbone(features)
    let logits = try model.maskedLMHead(states, maskPositions: features.maskPositions)
    let expected = try model.predict(features)
    #expect(logits.map(\.count) == [1, 2] && logits[0][0].count == model.maskedLMHead.vocabularySize)
    for (a, b) in zip(logits.joined().joined(), expected.joined().joined()) { #expect(abs(a - b) < 1e-4) }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let model = try SmallModel.micro()
    let row = [Float](repeating: 0, count: model.configuration.hiddenDim)
    #expect(try model.maskedLMHead([[row]], maskPositions: [[]]) == [[]])
    #expect(throws: PreprocessorError.self) { try model.maskedLMHead([[row]], maskPositions: []) }
    #expect(throws: PreprocessorError.self) { try model.maskedLMHead([[row]], maskPositions: [[1]]) }
    #expect(throws: PreprocessorError.self) { try model.maskedLMHead([[row + [0]]], maskPositions: [[0]]) }
  }
}
