import Glibc
import TestSupport
import Testing

@testable import Model
@testable import Tensor

/// Long calls end when their task is canceled, and leave a usable model.
@Suite struct CancellationTests {
  private static let texts = [
    "the quick brown fox", "a dog and a bird", "the rose is red", "a fox in the sky", "the dog is brown",
  ]

  /// Returns the error of a task that is canceled before the call.
  private func canceled(_ body: @escaping @Sendable () throws -> Void) async -> (any Error)? {
    await Task { () -> (any Error)? in
      cancelCurrentTask()
      do {
        try body()
        return nil
      } catch { return error }
    }.value
  }

  @Test func callsOfACanceledTask() async {
    let calls: [@Sendable (DistilBertMaskedLM) throws -> Void] = [
      { try $0.fit(Self.texts) },
      { _ = try $0.evaluate(Self.texts) },
      { model in
        let texts = TextList(Self.texts, preprocessor: try #require(model.preprocessor))
        _ = try model.evaluate(texts, pseudoLikelihood: .original)
      },
      { _ = try $0.predict(["the [MASK]"]) },
      { _ = try $0.predict(pairs: [("the [MASK]", "a dog")]) },
      { try $0.predict(lines: ["the [MASK]"]) { _, _ in } },
      { _ = try $0.rank([Sample(tokenIDs: [2, 4, 3], maskPositions: [1])]) },
      { _ = try $0.predict(MaskedLMFeatures(tokenIDs: [[2, 4, 3]], maskPositions: [[1]])) },
      { _ = try $0.backbone(tokenIDs: [[2, 4, 3]]) },
      { _ in _ = try WordPieceTrainer(pieces: 300).train(texts: Self.texts) },
    ]
    for (index, call) in calls.enumerated() {
      let error = await canceled {
        let model = try SmallModel.micro()
        try call(model)
      }
      #expect(error is CancellationError, "call \(index): \(String(describing: error))")
    }
  }

  @Test func filesOfACanceledTask() async throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("text.txt", Self.texts.joined(separator: "\n"))
    let fit = await canceled { try SmallModel.micro().fit(files: [file]) }
    #expect(fit is CancellationError)
    let vocabulary = await canceled { _ = try WordPieceTrainer(pieces: 300).train(files: [file]) }
    #expect(vocabulary is CancellationError)
  }

  /// The current step is finished and a checkpoint written; the parameters are those of that step.
  @Test func fitEndsBetweenSteps() async throws {
    let folder = try TemporaryFolder()
    let checkpoints = CheckpointFolder(output: folder.path)
    let stopped = try SmallModel.micro()
    try stopped.fit(Self.texts, batchSize: 1, callbacks: [.onStep { $0.step == 3 ? .stop : .proceed }])
    let expected = try stopped.evaluate(Self.texts)
    try await Task {
      let model = try SmallModel.micro()
      let corpus = TextList(Self.texts, preprocessor: try #require(model.preprocessor))
      let cancel = TrainingCallback.onStep {
        if $0.step == 3 { cancelCurrentTask() }
        return .proceed
      }
      #expect(throws: CancellationError.self) {
        try model.fit(
          corpus, options: TrainingOptions(batchSize: 1), checkpoints: CheckpointOptions(folder: checkpoints),
          callbacks: [cancel])
      }
      let checkpoint = try TrainingCheckpoint.newest(in: checkpoints)
      #expect(checkpoint.state.step == 3)
      nonisolated(unsafe) let canceled = model
      // Another task can continue with the model.
      let evaluation = try await Task.detached { try canceled.evaluate(Self.texts) }.value
      #expect(evaluation == expected)
    }.value
  }

  /// Cancellation in the middle of the work, with any number of threads.
  @Test func batchesThatWereNotBegunAreLeftOut() async throws {
    await Task {
      let compute = Compute(threads: 2)
      let batches = (0..<1000).map { Batch([Sample(tokenIDs: [Int32($0)])]) }
      let done = Counter()
      #expect(throws: CancellationError.self) {
        try compute.forEach(batches) { _, _, _ in
          _ = done.take()
          cancelCurrentTask()
          for _ in 0..<1000 { sched_yield() }
        }
      }
      #expect(done.take() < 900)
      #expect(throws: CancellationError.self) { try compute.forEach([]) { _, _, _ in } }
    }.value
  }

  /// A stream ends with its task, even if more lines would follow.
  @Test func aStreamOfLines() async throws {
    let (lines, feed) = AsyncStream.makeStream(of: String.self)
    feed.yield("the [MASK]")
    let error = await Task { () -> (any Error)? in
      do {
        try await SmallModel.micro().predict(lines: lines) { _, _ in cancelCurrentTask() }
        return nil
      } catch { return error }
    }.value
    #expect(error is CancellationError)
  }
}

private func cancelCurrentTask() { withUnsafeCurrentTask { $0?.cancel() } }
