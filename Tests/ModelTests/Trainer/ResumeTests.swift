import Glibc
import TestSupport
import Testing

@testable import Files
@testable import Model
@testable import Tensor
@testable import Text

/// A resumed training gives the parameters of an uninterrupted one, to the last bit.
@Suite struct ResumeTests {
  private static let configuration = Configuration(
    vocabularySize: 24, hiddenDim: 8, numLayers: 2, numHeads: 2, intermediateDim: 16, maxSequenceLength: 12)

  /// A source with new masks in each epoch, and none in samples 4 to 7. With key 1, the labels are tokens that key 0
  /// never has, so training on key 0 makes their loss worse.
  private final class Corpus: SampleSource {
    let count: Int
    let key: Int
    init(count: Int, key: Int = 0) { (self.count, self.key) = (count, key) }

    func sample(_ index: Int, epoch: Int) -> Sample {
      var random = RandomStream(seed: 3, purpose: .maskSelection, epoch: epoch, sample: index + 1000 * key)
      let tokens = (0..<4 + index % 6).map { _ in Int32(4 + random.below(20)) }
      let position = random.below(tokens.count)
      if key == 0, (4..<8).contains(index) { return Sample(tokenIDs: tokens) }
      let label = key == 0 ? tokens[position] : Int32(random.below(4))
      return Sample(tokenIDs: tokens, maskPositions: [Int32(position)], labels: [label])
    }
  }

  private static func model(_ configuration: Configuration = configuration) throws -> DistilBertMaskedLM {
    let model = try DistilBertMaskedLM(configuration: configuration, seed: 7, threads: 2)
    model.compile(
      optimizer: .adamW(learningRate: 0.02, clipNorm: 0.5), schedule: Schedule(.cosine, warmUp: .steps(3)))
    return model
  }

  private static func bits(_ model: DistilBertMaskedLM) -> [[UInt32]] {
    model.network.parameters.parameters.map { $0.matrix.bits }
  }

  struct Course: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let options: TrainingOptions
    var isValidated = false
    var interval: Int?
    var isTied = true
    var frozen: [ModelPart] = []

    func model() throws -> DistilBertMaskedLM {
      var configuration = ResumeTests.configuration
      configuration.tiesWeights = isTied
      let model = try ResumeTests.model(configuration)
      try model.freeze(frozen)
      return model
    }
  }

  private static let courses = [
    Course(testDescription: "plain", options: TrainingOptions(epochs: 3, batchSize: 4)),
    Course(
      testDescription: "a step without a mask", options: TrainingOptions(epochs: 3, batchSize: 4, shuffles: false)),
    Course(
      testDescription: "accumulation, validation",
      options: TrainingOptions(epochs: 3, batchSize: 2, gradientAccumulation: 2), isValidated: true),
    Course(
      testDescription: "early stopping, steps",
      options: TrainingOptions(epochs: 20, maximumSteps: 22, batchSize: 3, earlyStopping: 2), isValidated: true,
      interval: 1),
    Course(
      testDescription: "an output matrix of its own",
      options: TrainingOptions(epochs: 20, maximumSteps: 12, batchSize: 3, earlyStopping: 2), isValidated: true,
      interval: 1, isTied: false),
    Course(
      testDescription: "a head that is never trained",
      options: TrainingOptions(epochs: 20, maximumSteps: 12, batchSize: 3, earlyStopping: 2), isValidated: true,
      interval: 1, isTied: false, frozen: [.head]),
  ]

  /// Returns the reports of a training, except those during an evaluation, and without times.
  private func train(
    _ model: DistilBertMaskedLM, _ course: Course, in folder: CheckpointFolder?, from checkpoint: TrainingCheckpoint?,
    until isLast: @escaping (TrainingReport) -> Bool = { _ in false }
  ) throws -> ([TrainingReport], TrainingOutcome) {
    var reports: [TrainingReport] = []
    let outcome = try model.fit(
      Corpus(count: 14), validation: course.isValidated ? Corpus(count: 9, key: 1) : nil, options: course.options,
      checkpoints: folder.map { CheckpointOptions(folder: $0, interval: course.interval) }, resuming: checkpoint,
      callbacks: [
        TrainingCallback { report in
          var timeless = report
          (timeless.seconds, timeless.tokensPerSecond, timeless.secondsWaiting) = (0, 0, 0)
          // NaN is not equal to itself.
          #expect((report.maskedTokens == 0) == report.loss.isNaN && report.loss.isNaN == report.accuracy.isNaN)
          if report.maskedTokens == 0 { (timeless.loss, timeless.accuracy) = (-1, -1) }
          if report.moment == .step || report.moment == .epochEnd { reports.append(timeless) }
          return isLast(report) ? .stop : .proceed
        }
      ])
    return (reports, outcome)
  }

  @Test(arguments: courses) func anyStep(_ course: Course) throws {
    let whole = try course.model()
    let (expected, outcome) = try train(whole, course, in: nil, from: nil)
    let bits = Self.bits(whole)
    #expect(outcome.state.step >= 9 && outcome.state.updates <= outcome.state.step)
    // A step that changes nothing counts, but is no update.
    if !course.options.shuffles { #expect(outcome.state.updates == outcome.state.step - 3) }
    for step in 1...outcome.state.step {
      for moment in [TrainingReport.Moment.step, .validation(done: 9, of: 9), .epochEnd] {
        let folder = try TemporaryFolder()
        let checkpoints = CheckpointFolder(output: folder.path)
        let (before, first) = try train(course.model(), course, in: checkpoints, from: nil) {
          $0.step == step && $0.moment == moment
        }
        guard first.ending == .stopped else { continue }  // the moment does not occur
        let checkpoint = try TrainingCheckpoint.newest(in: checkpoints)
        #expect(checkpoint.state.step == step)
        let model = try course.model()
        #expect(model.hasTrainedHead == false)
        let (after, second) = try train(model, course, in: checkpoints, from: checkpoint)
        #expect(before + after == expected, "step \(step), \(moment)")
        #expect(Self.bits(model) == bits, "step \(step), \(moment)")
        #expect(model.hasTrainedHead == whole.hasTrainedHead && whole.hasTrainedHead == course.frozen.isEmpty)
        #expect(second.ending == outcome.ending && second.state.best == outcome.state.best)
      }
    }
  }

  /// Training is stopped after every step.
  @Test func everyStep() throws {
    let course = Self.courses[3]
    let whole = try Self.model()
    let (_, outcome) = try train(whole, course, in: nil, from: nil)
    let folder = try TemporaryFolder()
    let checkpoints = CheckpointFolder(output: folder.path)
    for step in 1..<outcome.state.step {
      let checkpoint = step > 1 ? try TrainingCheckpoint.newest(in: checkpoints) : nil
      _ = try train(Self.model(), course, in: checkpoints, from: checkpoint) { $0.step == step }
    }
    let last = try Self.model()
    _ = try train(last, course, in: checkpoints, from: TrainingCheckpoint.newest(in: checkpoints))
    #expect(Self.bits(last) == Self.bits(whole))
  }

  /// A longer training resumes in the middle of an epoch, as if it had been requested from the start.
  @Test func longer() throws {
    func run(_ steps: Int, in folder: CheckpointFolder?, from checkpoint: TrainingCheckpoint?) throws -> [[UInt32]] {
      let model = try Self.model()
      model.compile(optimizer: .adam(learningRate: 0.01))
      let options = TrainingOptions(epochs: nil, maximumSteps: steps, batchSize: 4)
      _ = try train(
        model, Course(testDescription: "", options: options, isValidated: true), in: folder, from: checkpoint)
      return Self.bits(model)
    }
    let folder = try TemporaryFolder()
    let checkpoints = CheckpointFolder(output: folder.path)
    _ = try run(6, in: checkpoints, from: nil)
    #expect(
      try run(11, in: checkpoints, from: TrainingCheckpoint.newest(in: checkpoints))
        == run(11, in: nil, from: nil))
  }

  /// Early stopping restores the parameters of the best evaluation.
  @Test func bestParameters() throws {
    let (course, model) = (Self.courses[3], try Self.model())
    let (reports, outcome) = try train(model, course, in: nil, from: nil)
    let best = try #require(outcome.state.best)
    let losses = reports.compactMap { $0.validation?.loss }
    #expect(best.loss == losses.min() && best.step < outcome.state.step)
    #expect(try model.evaluate(Corpus(count: 9, key: 1)).loss == best.loss)
  }

  @Test func checkpointsThatAreKept() throws {
    let folder = try TemporaryFolder()
    let checkpoints = CheckpointFolder(output: folder.path)
    let (_, outcome) = try train(Self.model(), Self.courses[3], in: checkpoints, from: nil)
    let best = try #require(outcome.state.best?.step)
    let last = outcome.state.step
    #expect(checkpoints.steps == [best, last - 1, last])
    // The best checkpoint exists for resuming.
    #expect(try TrainingCheckpoint(path: checkpoints.path(ofStep: best)).state.best?.step == best)
  }

  /// For every kept checkpoint, the checkpoint of the best evaluation so far exists.
  @Test func theBestOfEachKeptCheckpointIsKept() throws {
    let folder = try TemporaryFolder()
    let checkpoints = CheckpointFolder(output: folder.path)
    for (step, best) in [(1, 1), (2, 1), (3, 1), (4, 4)] {
      var state = TrainingState()
      (state.step, state.best) = (step, .init(loss: 1, step: best))
      let json = JSONValue.object([("format", .number(1)), ("state", state.json)])
      try folder.write(
        "checkpoints/step-\(step)/training_state.json", String(decoding: json.serialized(.compact), as: UTF8.self))
    }
    checkpoints.prune(keeping: 2)
    #expect(checkpoints.steps == [1, 3, 4])
    checkpoints.prune(keeping: 1)
    #expect(checkpoints.steps == [4])
  }

  /// The error names the changed file and the newest intact checkpoint.
  @Test func damagedNewestCheckpoint() throws {
    let folder = try TemporaryFolder()
    let checkpoints = CheckpointFolder(output: folder.path)
    let course = Course(
      testDescription: "", options: TrainingOptions(epochs: 1, batchSize: 4), interval: 1)
    _ = try train(Self.model(), course, in: checkpoints, from: nil)
    #expect(checkpoints.steps == [3, 4])
    func error() -> TrainingCheckpointError? {
      do { _ = try TrainingCheckpoint.newest(in: checkpoints) } catch { return error as? TrainingCheckpointError }
      return nil
    }
    let (newest, older) = (checkpoints.path(ofStep: 4), checkpoints.path(ofStep: 3))
    #expect(error() == nil)
    for name in ["model.safetensors", "training_state.safetensors", "config.json"] {
      let bytes = try FileMapping.contents(of: newest + "/" + name)
      var other = bytes
      other[bytes.count / 2] ^= 1
      for content in [other, Array(bytes.dropLast(5)), []] {
        try AtomicFile.write(content, to: newest + "/" + name)
        #expect(
          error()
            == .newestIsDamaged(path: newest, cause: "\(name): contents changed since it was written", older: older),
          "\(name)")
      }
      unlink(newest + "/" + name)
      #expect(
        error() == .newestIsDamaged(path: newest, cause: "\(newest)/\(name): no such file or directory", older: older))
      try AtomicFile.write(bytes, to: newest + "/" + name)
    }
    #expect(error() == nil)
    unlink(newest + "/training_state.json")
    guard case .newestIsDamaged(newest, _, older)? = error() else {
      Issue.record("a checkpoint without its state was skipped: \(String(describing: error()))")
      return
    }
    try AtomicFile.write([], to: older + "/model.safetensors")
    guard case .newestIsDamaged(newest, _, nil)? = error() else {
      Issue.record("\(String(describing: error()))")
      return
    }
  }

  /// A step without a masked token counts as a step for the user, though it makes no update.
  @Test func errorsCountTheStepsThatAreSeen() throws {
    let model = try Self.model()
    model.compile(optimizer: .adam(learningRate: 1e30))
    // Samples 4 to 7 have no mask.
    let corpus = Corpus(count: 8)
    let samples = SampleList([4, 5, 6, 7, 0, 1, 2, 3].map { corpus.sample($0, epoch: 0) })
    #expect(throws: TrainingError.updateTooLarge(step: 3, learningRate: 1e30)) {
      try model.fit(samples, options: TrainingOptions(batchSize: 2, shuffles: false))
    }
  }

  /// After a refused update, training continues as if it had not been tried.
  @Test func aRefusedUpdateLeavesNoTrace() throws {
    func steps(_ rates: [Float]) throws -> [[UInt32]] {
      let model = try Self.model()
      let training = model.withTraining { training, _ in training }
      let corpus = Corpus(count: 4)
      let samples = (0..<4).map { corpus.sample($0, epoch: 0) }
      for rate in rates {
        if rate > 1 {
          #expect(throws: TrainingError.updateTooLarge(step: training.state.steps + 1, learningRate: rate)) {
            try training.run(samples, batchSize: 4, learningRate: rate)
          }
        } else {
          _ = try training.run(samples, batchSize: 4, learningRate: rate)
        }
      }
      let moments = OptimizerState.Moment.allCases.flatMap { moment in
        model.network.parameters.parameters.map { parameter in
          (0..<parameter.count).map { training.state.values(moment, of: parameter)[$0].bitPattern }
        }
      }
      return Self.bits(model) + moments
    }
    #expect(try steps([0.02, 1e30, 0.02, 1e6, 0.02]) == steps([0.02, 0.02, 0.02]))
  }

  @Test func aCheckpointOfOtherSizes() throws {
    let folder = try TemporaryFolder()
    let checkpoints = CheckpointFolder(output: folder.path)
    _ = try train(Self.model(), Self.courses[0], in: checkpoints, from: nil)
    let newest = try TrainingCheckpoint.newest(in: checkpoints)
    var configuration = Self.configuration
    configuration.intermediateDim = 20
    let other = try DistilBertMaskedLM(configuration: configuration, threads: 1)
    #expect(throws: TrainingCheckpointError.otherModel(path: newest.path)) {
      try other.fit(Corpus(count: 14), resuming: newest)
    }
  }

  /// The word embedding of one model is not the output matrix of the other.
  @Test(arguments: [true, false]) func aCheckpointOfAnotherOutputMatrix(isTied: Bool) throws {
    let folder = try TemporaryFolder()
    let checkpoints = CheckpointFolder(output: folder.path)
    let course = Course(testDescription: "", options: TrainingOptions(batchSize: 4), isTied: isTied)
    _ = try train(course.model(), course, in: checkpoints, from: nil)
    var other = Self.configuration
    other.tiesWeights = !isTied
    #expect(throws: TrainingCheckpointError.self) {
      try Self.model(other).fit(Corpus(count: 14), resuming: .newest(in: checkpoints))
    }
  }
}
