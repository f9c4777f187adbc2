import Foundation
import Testing

@testable import Model

/// A model computes one call at a time and refuses others.
@Suite struct ExclusiveAccessTests {
  /// Returns the error of a call on another thread, for which this thread waits.
  private static func error(on body: @escaping @Sendable () throws -> Void) -> (any Error)? {
    nonisolated(unsafe) var found: (any Error)?
    let done = DispatchSemaphore(value: 0)
    Thread {
      do { try body() } catch { found = error }
      done.signal()
    }.start()
    done.wait()
    return found
  }

  @Test func everyCallThatComputesIsRefusedWhileFitRuns() throws {
    nonisolated(unsafe) let model = try SmallModel.micro()
    let features = MaskedLMFeatures(tokenIDs: [[2, 57, 4, 3]], maskPositions: [[2]])
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mlm-\(UUID())").path
    let calls: [@Sendable () throws -> Void] = [
      { try model.fit(features, labels: [[5]]) }, { _ = try model.evaluate(features, labels: [[5]]) },
      { _ = try model.predict(features) }, { _ = try model.predict(["[MASK]"]) },
      { _ = try model.rank(features.samples(vocabularySize: 256, maximumLength: 48)) },
      { _ = try model.backbone(features) },
      { _ = try model.maskedLMHead([[[Float](repeating: 0, count: 32)]], maskPositions: [[0]]) },
      { try model.save(to: folder) },
    ]
    var refused = 0
    let callback = TrainingCallback.onStep { _ in
      for call in calls {
        #expect(Self.error(on: call) as? ModelUseError == .inUse)
        refused += 1
      }
      return .proceed
    }
    try model.fit(features, labels: [[5]], callbacks: [callback])
    #expect(refused == calls.count)
    // Afterwards any thread can use the model again.
    #expect(Self.error { _ = try model.predict(features) } == nil)
    #expect(!FileManager.default.fileExists(atPath: folder))
  }

  @Test func itIsFreeAgainAfterAnError() throws {
    let exclusiveAccess = ExclusiveAccess()
    struct Failure: Error {}
    #expect(throws: Failure.self) { try exclusiveAccess.claim { throw Failure() } }
    #expect(try exclusiveAccess.claim { try exclusiveAccess.claim { 1 } } == 1)
    #expect(throws: ModelUseError.inUse) { try exclusiveAccess.claim { try exclusiveAccess.claim(nests: false) {} } }
    try exclusiveAccess.claim(nests: false) {}
  }

  /// Models of one preset are independent.
  @Test func modelsOfOnePresetComputeAtOnce() async throws {
    let features = MaskedLMFeatures(tokenIDs: [[2, 57, 4, 3]], maskPositions: [[2]])
    let answers = try await withThrowingTaskGroup(of: [[[Float]]].self) { group in
      for _ in 0..<4 { group.addTask { try SmallModel.micro().predict(features) } }
      return try await group.reduce(into: [[[[Float]]]]()) { $0.append($1) }
    }
    #expect(answers.count == 4 && answers.allSatisfy { $0 == answers[0] })
  }
}
