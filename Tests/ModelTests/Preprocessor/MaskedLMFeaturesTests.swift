import Testing

@testable import Model

@Suite struct MaskedLMFeaturesTests {
  func samples(
    _ features: MaskedLMFeatures, labels: [[Int]]? = nil, weights: [[Float]]? = nil
  ) throws -> [Sample] {
    try features.samples(labels: labels, sampleWeights: weights, vocabularySize: 16, maximumLength: 8)
  }

  /// The example in KerasHub's documentation.
  @Test func documentedExample() throws {
    let features = MaskedLMFeatures(
      tokenIDs: [[1, 2, 0, 4, 0, 6, 7, 8], [1, 2, 0, 4, 0, 6, 7, 8]],
      paddingMask: [[1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1, 1]],
      maskPositions: [[2, 4], [2, 4]])
    let expected = Sample(tokenIDs: [1, 2, 0, 4, 0, 6, 7, 8], maskPositions: [2, 4], labels: [3, 5])
    #expect(try samples(features, labels: [[3, 5], [3, 5]]) == [expected, expected])
    #expect(try samples(features)[0].labels.isEmpty)
    #expect(try samples(features)[0].maskPositions == [2, 4])
  }

  @Test func paddingIsDroppedAndPositionsStay() throws {
    let features = MaskedLMFeatures(
      tokenIDs: [[0, 0, 2, 5, 0, 6, 3, 0]], paddingMask: [[0, 0, 1, 1, 0, 1, 1, 0]],
      maskPositions: [[3, 5, 0, 0]])
    let ragged = try samples(features, labels: [[9, 8, 0, -100]], weights: [[0.5, 1, 0, 0]])
    #expect(
      ragged == [
        Sample(
          tokenIDs: [2, 5, 6, 3], positionIDs: [2, 3, 5, 6], maskPositions: [1, 2], labels: [9, 8], weights: [0.5, 1],
          slots: 4)
      ])
    let back = MaskedLMFeatures.padded(ragged, sequenceLength: 8, slots: 4)
    #expect(back.features == features)
    #expect(back.labels == [[9, 8, 0, 0]] && back.sampleWeights == [[0.5, 1, 0, 0]])
  }

  @Test func padsToTheLongest() {
    let (features, labels, weights) = MaskedLMFeatures.padded([
      Sample(tokenIDs: [2, 4, 3], maskPositions: [1], labels: [7]), Sample(tokenIDs: [2, 3]),
    ])
    #expect(features.tokenIDs == [[2, 4, 3], [2, 3, 0]] && features.paddingMask == [[1, 1, 1], [1, 1, 0]])
    #expect(features.maskPositions == [[1], [0]] && labels == [[7], [0]] && weights == [[1], [0]])
  }

  @Test func badDataIsRefusedByIndex() {
    func fault(
      _ tokens: [Int], _ mask: [Int]? = nil, _ positions: [Int] = [], labels: [Int]? = nil, weights: [Float]? = nil
    ) -> SampleFault? {
      let features = MaskedLMFeatures(
        tokenIDs: [[1], tokens], paddingMask: mask.map { [[1], $0] } ?? [], maskPositions: [[], positions])
      do {
        _ = try samples(features, labels: labels.map { [[], $0] }, weights: weights.map { [[], $0] })
      } catch let PreprocessorError.badSample(.index(1), fault) { return fault } catch {}
      return nil
    }
    #expect(fault([1, 16]) == .tokenOutsideVocabulary(name: "token_ids", index: 1, id: 16, vocabularySize: 16))
    #expect(fault([-1]) == .tokenOutsideVocabulary(name: "token_ids", index: 0, id: -1, vocabularySize: 16))
    #expect(fault([1, 2], [1]) == .lengthsDiffer(name: "padding_mask", count: 1, other: "token_ids", expected: 2))
    #expect(fault([1, 2], [1, 2]) == .paddingMaskValue(index: 1, value: 2))
    #expect(fault([1, 2], [0, 0]) == .noTokens)
    #expect(fault([]) == .noTokens)
    #expect(fault([1, 2], nil, [2]) == .positionOutside(slot: 0, position: 2, length: 2))
    #expect(fault([1, 2], nil, [-1]) == .positionOutside(slot: 0, position: -1, length: 2))
    #expect(fault([1, 2], [1, 0], [1]) == .positionOnPadding(slot: 0, position: 1))
    #expect(fault([1, 2], [1, 0], [1], weights: [0]) == nil)
    #expect(
      fault([1, 2], nil, [1], labels: [16])
        == .tokenOutsideVocabulary(name: "labels", index: 0, id: 16, vocabularySize: 16))
    #expect(
      fault([1, 2], nil, [1], labels: [])
        == .lengthsDiffer(name: "labels", count: 0, other: "mask_positions", expected: 1))
    #expect(
      fault([1, 2], nil, [1], weights: [1, 1])
        == .lengthsDiffer(name: "sample_weight", count: 2, other: "mask_positions", expected: 1))
    #expect(fault([1, 2], nil, [1], weights: [-1]) == .weightNotUsable(slot: 0, weight: -1))
    #expect(fault([1, 2], nil, [1], weights: [.infinity]) == .weightNotUsable(slot: 0, weight: .infinity))
    #expect(fault([Int](repeating: 1, count: 9)) == .tooLong(length: 9, maximum: 8))
    #expect(fault([Int](repeating: 1, count: 8)) == nil)
    #expect(fault([Int](repeating: 1, count: 9), [Int](repeating: 1, count: 8) + [0]) == nil)
    #expect(throws: PreprocessorError.samplesDiffer(what: "rows of labels", found: 2, expected: 1)) {
      try samples(MaskedLMFeatures(tokenIDs: [[1]], maskPositions: [[]]), labels: [[], []])
    }
    #expect(throws: PreprocessorError.samplesDiffer(what: "rows of mask positions", found: 0, expected: 1)) {
      try samples(MaskedLMFeatures(tokenIDs: [[1]], maskPositions: []))
    }
  }
}
