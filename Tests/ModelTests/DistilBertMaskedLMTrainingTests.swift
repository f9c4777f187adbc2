import TestSupport
import Testing

@testable import Model

/// Successive calls of `fit`.
@Suite struct DistilBertMaskedLMTrainingTests {
  private static let texts = [
    "the quick brown fox", "a dog and a bird", "the rose is red", "a fox in the sky", "the dog is brown",
  ]

  private static func bits(_ model: DistilBertMaskedLM) -> [[UInt32]] {
    withExtendedLifetime(model) { model.network.parameters.parameters.map { $0.matrix.bits } }
  }

  /// Five samples, three steps per epoch, with the model's dropout.
  private static func model(_ schedule: Schedule = Schedule()) throws -> DistilBertMaskedLM {
    let model = try SmallModel.micro(dropout: 0.1)
    model.compile(optimizer: .adamW(learningRate: 1e-3), schedule: schedule)
    return model
  }

  /// Returns the epoch, step, last step and learning rate reported after each step.
  private static func steps(
    _ model: DistilBertMaskedLM, epochs: Int, until last: Int = .max
  ) throws -> [(epoch: Int, step: Int, total: Int, rate: Float)] {
    var steps: [(Int, Int, Int, Float)] = []
    let callback = TrainingCallback.onStep {
      steps.append(($0.epoch, $0.step, $0.totalSteps, $0.learningRate))
      return $0.step < last ? .proceed : .stop
    }
    try model.fit(texts, batchSize: 2, epochs: epochs, callbacks: [callback])
    return steps
  }

  /// Order, masks, dropout and moments continue: the parameters are those of one call, to the last bit.
  @Test func callsInARowAreOneOfTheirEpochs() throws {
    let (one, two, three) = (try Self.model(), try Self.model(), try Self.model())
    let whole = try Self.steps(one, epochs: 3)
    let parts = try Self.steps(two, epochs: 1) + Self.steps(two, epochs: 1) + Self.steps(two, epochs: 1)
    #expect(whole.map(\.epoch) == [1, 1, 1, 2, 2, 2, 3, 3, 3] && whole.map(\.step) == Array(1...9))
    #expect(parts.map(\.epoch) == whole.map(\.epoch) && parts.map(\.step) == whole.map(\.step))
    #expect(parts.map(\.total) == [3, 3, 3, 6, 6, 6, 9, 9, 9])
    #expect(Self.bits(one) == Self.bits(two))

    // Files and evaluations change nothing.
    let folder = try TemporaryFolder()
    let file = try folder.write("text.txt", Self.texts.joined(separator: "\n"))
    try three.fit(files: [file], options: TrainingOptions(batchSize: 2))
    let outcome = try three.fit(files: [file], validation: [file], options: TrainingOptions(epochs: 2, batchSize: 2))
    #expect(outcome.state.step == 9 && outcome.state.epoch == 3 && outcome.state.samples == 15)
    #expect(Self.bits(one) == Self.bits(three))
  }

  @Test func theSecondCallHasOtherMasks() throws {
    let (one, two) = (try Self.model(), try Self.model())
    _ = try Self.steps(one, epochs: 1)
    #expect(try Self.steps(one, epochs: 1).map(\.epoch) == [2, 2, 2])
    _ = try Self.steps(two, epochs: 1)
    two.compile(optimizer: .adamW(learningRate: 1e-3))
    #expect(try Self.steps(two, epochs: 1).map(\.epoch) == [1, 1, 1])
    #expect(Self.bits(one) != Self.bits(two))
  }

  @Test func compileStartsOver() throws {
    let model = try Self.model()
    _ = try Self.steps(model, epochs: 2)
    model.compile()
    let steps = try Self.steps(model, epochs: 1)
    #expect(steps.map(\.epoch) == [1, 1, 1] && steps.map(\.step) == [1, 2, 3] && steps[0].total == 3)
  }

  /// The schedule continues: there is one warm-up, and the rate reaches 0 at the end of the call.
  @Test func theScheduleCountsAllSteps() throws {
    let model = try Self.model(Schedule(.linear, warmUp: .steps(2)))
    #expect(try Self.steps(model, epochs: 1).map(\.rate) == [0, 0.5e-3, 1e-3])
    let further = try Self.steps(model, epochs: 1).map(\.rate)
    for (rate, share) in zip(further, [3.0 / 4, 2.0 / 4, 1.0 / 4]) { #expect(abs(Double(rate) - share * 1e-3) < 1e-9) }
  }

  /// The rest of a stopped epoch is not made up.
  @Test func aStoppedEpochIsOne() throws {
    let model = try Self.model()
    #expect(try Self.steps(model, epochs: 2, until: 4).map(\.epoch) == [1, 1, 1, 2])
    let next = try Self.steps(model, epochs: 1)
    #expect(next.map(\.epoch) == [3, 3, 3] && next.map(\.step) == [5, 6, 7] && next[0].total == 7)
  }

  @Test func anErrorIsNotTheEnd() throws {
    struct Failure: Error {}
    let model = try Self.model()
    #expect(throws: Failure.self) {
      try model.fit(
        Self.texts, batchSize: 2, callbacks: [.onStep { if $0.step == 2 { throw Failure() } else { .proceed } }])
    }
    let next = try Self.steps(model, epochs: 1)
    #expect(next.map(\.epoch) == [2, 2, 2] && next.map(\.step) == [3, 4, 5])
  }

  /// The evaluations of one call do not stop another.
  @Test func earlyStoppingIsOfOneCall() throws {
    let model = try Self.model()
    let corpus = TextList(Self.texts, preprocessor: try #require(model.preprocessor))
    let nothing = SampleList([Sample(tokenIDs: [2, 5, 3])])
    let options = TrainingOptions(epochs: 9, batchSize: 2, earlyStopping: 2)
    for _ in 0..<2 {
      let outcome = try model.fit(corpus, validation: nothing, options: options)
      #expect(outcome.ending == .early && outcome.state.evaluationsWithoutProgress == 2)
    }
  }

  /// A checkpoint stores the start of its call.
  @Test func aSecondCallIsResumed() throws {
    let whole = try Self.model(Schedule(.cosine))
    _ = try Self.steps(whole, epochs: 1)
    _ = try Self.steps(whole, epochs: 2)

    let folder = try TemporaryFolder()
    let checkpoints = CheckpointFolder(output: folder.path)
    let model = try Self.model(Schedule(.cosine))
    _ = try Self.steps(model, epochs: 1)
    let corpus = TextList(Self.texts, preprocessor: try #require(model.preprocessor))
    let options = TrainingOptions(epochs: 2, batchSize: 2)
    let lock = try checkpoints.open()
    defer { withExtendedLifetime(lock) {} }
    try model.fit(
      corpus, options: options, checkpoints: CheckpointOptions(folder: checkpoints),
      callbacks: [.onStep { $0.step == 5 ? .stop : .proceed }])
    let checkpoint = try TrainingCheckpoint.newest(in: checkpoints)
    #expect(checkpoint.state.step == 5)
    let resumed = try Self.model(Schedule(.cosine))
    let outcome = try resumed.fit(corpus, options: options, resuming: checkpoint)
    #expect(outcome.state.step == 9 && outcome.ending == .complete)
    #expect(Self.bits(resumed) == Self.bits(whole))
  }
}
