import Testing

@testable import Model

@Suite struct TrainerTests {
  /// Records the requested samples.
  private final class Recorder: SampleSource, @unchecked Sendable {
    let count: Int
    private(set) var asked: [Int] = []
    init(count: Int) { self.count = count }

    func sample(_ index: Int, epoch: Int) -> Sample {
      asked.append(index)
      return Sample(tokenIDs: [2, 5, 4, 3], maskPositions: [2], labels: [Int32(6 + index % 4)])
    }
  }

  private func model() throws -> DistilBertMaskedLM {
    try DistilBertMaskedLM(
      configuration: Configuration(
        vocabularySize: 16, hiddenDim: 8, numLayers: 1, numHeads: 2, intermediateDim: 16, maxSequenceLength: 8),
      threads: 1)
  }

  @Test func everySampleOnceAnEpochInAnOrderOfItsOwn() throws {
    let corpus = Recorder(count: 50)
    try model().fit(corpus, options: TrainingOptions(epochs: 2, batchSize: 8))
    #expect(corpus.asked.count == 100)
    let (first, second) = (Array(corpus.asked[..<50]), Array(corpus.asked[50...]))
    #expect(first.sorted() == Array(0..<50) && second.sorted() == Array(0..<50))
    #expect(first != Array(0..<50) && first != second)

    let inOrder = Recorder(count: 10)
    try model().fit(inOrder, options: TrainingOptions(epochs: 1, batchSize: 3, shuffles: false))
    #expect(inOrder.asked == Array(0..<10))
  }

  @Test func reports() throws {
    var reports: [TrainingReport] = []
    try model().fit(
      Recorder(count: 10), validation: Recorder(count: 3),
      options: TrainingOptions(epochs: 2, batchSize: 2, gradientAccumulation: 2),
      callbacks: [
        TrainingCallback {
          reports.append($0)
          return .proceed
        }
      ])
    #expect(reports.filter { $0.moment == .validation(done: 3, of: 3) }.map(\.step) == [3, 6])
    reports.removeAll { $0.moment == .validation(done: 3, of: 3) }
    #expect(reports.map(\.step) == [1, 2, 3, 3, 4, 5, 6, 6])
    #expect(reports.map(\.moment) == [.step, .step, .step, .epochEnd, .step, .step, .step, .epochEnd])
    #expect(reports.map(\.samples) == [4, 8, 10, 10, 14, 18, 20, 20])
    #expect(reports.map(\.tokens) == [16, 32, 40, 40, 56, 72, 80, 80])
    #expect(reports.allSatisfy { $0.totalSteps == 6 && ($0.validation != nil) == ($0.moment == .epochEnd) })
    #expect(reports[3].validation?.samples == 3)
  }

  @Test func endsAtTheLastStepOrWhenTold() throws {
    func steps(_ options: TrainingOptions, until: Int = .max) throws -> Int {
      var last = 0
      let callback = TrainingCallback {
        last = $0.step
        return $0.step < until ? .proceed : .stop
      }
      try model().fit(Recorder(count: 10), options: options, callbacks: [callback])
      return last
    }
    #expect(try steps(TrainingOptions(epochs: nil, maximumSteps: 7, batchSize: 4)) == 7)
    #expect(try steps(TrainingOptions(epochs: 1, maximumSteps: 70, batchSize: 4)) == 3)
    #expect(try steps(TrainingOptions(epochs: 5, batchSize: 4), until: 4) == 4)
    #expect(try steps(TrainingOptions(epochs: 0)) == 0)
    #expect(try steps(TrainingOptions(epochs: 1, batchSize: .max, gradientAccumulation: .max)) == 1)
  }

  /// Two batches of 4 in one step equal one batch of 8, including dropout.
  @Test func accumulationEqualsTheOneBigBatch() throws {
    func losses(_ options: TrainingOptions) throws -> [Double] {
      var losses: [Double] = []
      let model = try model()
      model.compile(optimizer: .adam(learningRate: 1e-2))
      let callback = TrainingCallback {
        losses.append($0.loss)
        return .proceed
      }
      try model.fit(Recorder(count: 32), options: options, callbacks: [callback])
      return losses
    }
    let whole = try losses(TrainingOptions(epochs: 2, batchSize: 8))
    let parts = try losses(TrainingOptions(epochs: 2, batchSize: 4, gradientAccumulation: 2))
    #expect(zip(whole, parts).allSatisfy { abs($0 - $1) < 1e-5 * $0 })
    #expect(whole.count == parts.count)
  }

  /// A step without a masked token changes nothing.
  @Test func nothingMasked() throws {
    let model = try model()
    let before = try model.evaluate(Recorder(count: 4))
    let empty = SampleList(Array(repeating: Sample(tokenIDs: [2, 5, 3]), count: 4))
    var losses: [Double] = []
    let callback = TrainingCallback {
      losses.append($0.loss)
      return .proceed
    }
    try model.fit(empty, options: TrainingOptions(epochs: 2), callbacks: [callback])
    #expect(losses.count > 0 && losses.allSatisfy(\.isNaN))
    #expect(try model.evaluate(Recorder(count: 4)) == before)
    #expect(try model.evaluate(empty).maskedTokens == 0)
  }

  /// Weights that grow without bound cause an error; the parameters are those before the step.
  @Test func lossThatIsNotFinite() throws {
    let model = try model()
    let before = try model.evaluate(Recorder(count: 8))
    model.compile(optimizer: .adam(learningRate: 1e30))
    #expect(throws: TrainingError.updateTooLarge(step: 1, learningRate: 1e30)) {
      try model.fit(Recorder(count: 8), options: TrainingOptions(epochs: 50, batchSize: 4))
    }
    #expect(try model.evaluate(Recorder(count: 8)) == before)
  }
}
