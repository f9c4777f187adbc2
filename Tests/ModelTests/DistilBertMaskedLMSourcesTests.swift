import Foundation
import TestSupport
import Testing

@testable import Files
@testable import Model

/// `fit` and `evaluate` on texts, pairs, files and custom sources.
@Suite struct DistilBertMaskedLMSourcesTests {
  private let texts = ["the quick brown fox", "a dog and a bird", "the rose is red"]

  @Test func textsAndSegmentsAndFilesAgree() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/text.txt"
    try Data((texts.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: file))
    let model = try SmallModel.micro()
    let expected = try model.evaluate(texts)
    #expect(expected.samples == 3)
    #expect(try model.evaluate(segments: texts.map { [$0] }) == expected)
    #expect(try model.evaluate(files: [file]) == expected)

    func trained(_ fit: (DistilBertMaskedLM) throws -> TrainingOutcome) throws -> Evaluation {
      let model = try SmallModel.micro()
      #expect(try fit(model).state.step == 2)
      return try model.evaluate(texts)
    }
    let fitted = try trained { try $0.fit(texts, batchSize: 2) }
    #expect(fitted != expected)
    #expect(try trained { try $0.fit(segments: texts.map { [$0] }, batchSize: 2) } == fitted)
    let options = TrainingOptions(batchSize: 2)
    #expect(try trained { try $0.fit(files: [file], validation: [file], options: options) } == fitted)
    let inOrder = TrainingOptions(batchSize: 2, shuffles: false)
    let fittedInOrder = try trained { try $0.fit(texts, batchSize: 2, shuffles: false) }
    #expect(try trained { try $0.fit(files: [file], options: inOrder) } == fittedInOrder)
    #expect(fittedInOrder != fitted)
    #expect(throws: FileError.missing(path: "nothing.txt")) { try model.fit(files: ["nothing.txt"]) }
  }

  @Test func pairsAreTwoSegments() throws {
    let model = try SmallModel.micro()
    let pairs = [("the fox", "a dog"), ("a bird", "the sky")]
    #expect(
      try model.evaluate(pairs: pairs) == model.evaluate(segments: [["the fox", "a dog"], ["a bird", "the sky"]]))
    #expect(try model.evaluate(pairs: pairs).tokens > model.evaluate(["the fox", "a bird"]).tokens)
    #expect(try model.fit(pairs: pairs, validation: pairs, batchSize: 1).state.step == 2)
  }

  @Test func theLengthOfThePreprocessorCounts() throws {
    let model = try SmallModel.micro()
    model.preprocessor?.sequenceLength = 4
    #expect(try model.evaluate(["the quick brown fox jumped"]).tokens == 4)
    model.preprocessor?.sequenceLength = 500
    let error = #expect(throws: PreprocessorError.self) {
      try model.evaluate([String(repeating: "a ", count: 100)])
    }
    #expect(error == .badSample(.index(0), .tooLong(length: 102, maximum: 48)))
  }

  /// A source can return anything; samples that exceed the model's tables are refused.
  @Test(arguments: [
    Sample(tokenIDs: []), Sample(tokenIDs: [2, 256]), Sample(tokenIDs: [2, -1]),
    Sample(tokenIDs: [2, 3], positionIDs: [0, 48]), Sample(tokenIDs: [2, 3], positionIDs: [-1, 0]),
    Sample(tokenIDs: [2, 3], positionIDs: [0]),
    Sample(tokenIDs: [2, 3], maskPositions: [2], labels: [5]),
    Sample(tokenIDs: [2, 3], maskPositions: [-1], labels: [5]),
    Sample(tokenIDs: [2, 3], maskPositions: [1], labels: [256]),
    Sample(tokenIDs: [2, 3], maskPositions: [1], labels: [5], weights: []),
    Sample(tokenIDs: [2, 3], maskPositions: [1], labels: [5], weights: [.nan]),
    Sample(tokenIDs: [2, 3], maskPositions: [1], labels: [5, 6]),
  ])
  func samplesThatDoNotFitAreRefused(_ sample: Sample) throws {
    let model = try SmallModel.micro()
    let good = Sample(tokenIDs: [2, 3], maskPositions: [1], labels: [5])
    let options = TrainingOptions(batchSize: 1, shuffles: false)
    let errors = [
      #expect(throws: PreprocessorError.self) { try model.evaluate(SampleList([good, sample])) },
      #expect(throws: PreprocessorError.self) { try model.rank([good, sample]) },
      #expect(throws: PreprocessorError.self) { try model.fit(SampleList([good, sample]), options: options) },
    ]
    for error in errors { #expect(error?.message.hasPrefix("sample 1: ") == true) }
  }

  @Test func trainingNeedsLabels() throws {
    let model = try SmallModel.micro()
    let sample = Sample(tokenIDs: [2, 3], maskPositions: [1])
    #expect(throws: PreprocessorError.badSample(.index(0), .missingLabels)) { try model.fit(SampleList([sample])) }
    #expect(try model.rank([sample])[0].count == 1)
  }
}
