import Foundation
import Testing

@testable import Model

@Suite struct TrainingCallbackTests {
  private let texts = ["the quick brown fox", "a dog", "the rose is red", "a bird in the sky"]

  @Test func stepsAndEpochs() throws {
    let model = try SmallModel.micro()
    var (steps, epochs) = ([Int](), [Int]())
    let outcome = try model.fit(
      texts, validation: ["the sky is blue"], batchSize: 2, epochs: 2,
      callbacks: [
        .onStep {
          steps.append($0.step)
          return .proceed
        },
        .onEpochEnd {
          epochs.append($0.epoch)
          #expect($0.validation?.samples == 1)
          return .proceed
        },
      ])
    #expect(steps == [1, 2, 3, 4] && epochs == [1, 2])
    #expect(outcome.ending == .complete && outcome.state.step == 4)
  }

  @Test func stopEndsTraining() throws {
    let model = try SmallModel.micro()
    var others = 0
    let outcome = try model.fit(
      texts, batchSize: 1, epochs: 5,
      callbacks: [
        .onStep { $0.step == 3 ? .stop : .proceed },
        .onStep { _ in
          others += 1
          return .proceed
        },
      ])
    #expect(outcome.ending == .stopped && outcome.state.step == 3 && others == 3)
  }

  @Test func whatACallbackThrowsComesOut() throws {
    struct Failure: Error {}
    let model = try SmallModel.micro()
    #expect(throws: Failure.self) { try model.fit(texts, callbacks: [.onStep { _ in throw Failure() }]) }
    // The model can still be used.
    #expect(try model.evaluate(texts).samples == 4)
  }

  /// A callback may use and save the model without changing the training.
  @Test func callbacksMayComputeAndSave() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mlm-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func trained(_ callbacks: (DistilBertMaskedLM) -> [TrainingCallback]) throws -> [[[Float]]] {
      let model = try SmallModel.micro()
      try model.fit(texts, batchSize: 1, epochs: 2, callbacks: callbacks(model))
      return try model.predict(MaskedLMFeatures(tokenIDs: [[2, 57, 4, 3]], maskPositions: [[2]]))
    }
    var refused = 0
    let plain = try trained { _ in [] }
    let watched = try trained { model in
      [
        .onStep { [texts] _ in
          _ = try model.evaluate(texts)
          _ = try model.predict(["the [MASK]"])
          do { try model.fit(texts) } catch ModelUseError.inUse { refused += 1 }
          return .proceed
        },
        .onEpochEnd { _ in
          try model.save(to: folder, overwrite: true)
          return .proceed
        },
      ]
    }
    #expect(plain == watched && refused == 8)
    let saved = try DistilBertMaskedLM.fromPreset(folder, threads: 2)
    #expect(try saved.predict(MaskedLMFeatures(tokenIDs: [[2, 57, 4, 3]], maskPositions: [[2]])) == plain)
  }
}
