import Model
import Text

/// Fills the masks of all samples at once.
struct PredictWork: Work {
  private let model: DistilBertMaskedLM
  private let samples: [Sample]

  init(_ settings: Worker.Settings) throws {
    model = try settings.loadModel()
    samples = try settings.loadSamples(model.configuration)
  }

  func check() throws -> JSONValue? { Self.result(try model.rank(samples, topK: 5)) }

  func round() throws -> Round {
    let elapsed = try seconds { _ = try model.rank(samples, topK: 5) }
    return Round(seconds: elapsed, tokens: samples.reduce(0) { $0 + $1.tokenIDs.count })
  }

  /// Ids and probabilities of the best tokens at the first mask of each sample.
  static func result(_ ranked: [[[TokenScore]]]) -> JSONValue {
    let best = ranked.map { $0.first ?? [] }
    return .object([
      ("ids", .array(best.map { .array($0.map { .number($0.token) }) })),
      ("probabilities", .array(best.map { .array($0.map { .number(Double($0.probability)) }) })),
    ])
  }
}

/// Predicts one sample repeatedly; a round's seconds are the median of its calls.
struct LatencyWork: Work {
  private let model: DistilBertMaskedLM
  private let samples: [Sample]
  private static let calls = 40

  init(_ settings: Worker.Settings) throws {
    model = try settings.loadModel()
    samples = try settings.loadSamples(model.configuration)
  }

  func check() throws -> JSONValue? {
    var result: JSONValue?
    for _ in 0..<10 { result = PredictWork.result(try model.rank(samples, topK: 5)) }
    return result
  }

  func round() throws -> Round {
    let times = try (0..<Self.calls).map { _ in try seconds { _ = try model.rank(samples, topK: 5) } }
    return Round(
      seconds: times.median, tokens: samples.reduce(0) { $0 + $1.tokenIDs.count },
      more: [("p90_seconds", .number(times.quantile(0.9))), ("calls", .number(Self.calls))])
  }
}

/// Computes loss and accuracy of all samples.
struct EvaluateWork: Work {
  private let model: DistilBertMaskedLM
  private let source: SampleList

  init(_ settings: Worker.Settings) throws {
    model = try settings.loadModel()
    source = SampleList(try settings.loadSamples(model.configuration))
  }

  func check() throws -> JSONValue? {
    let result = try model.evaluate(source)
    return .object([("loss", .number(result.loss)), ("accuracy", .number(result.accuracy))])
  }

  func round() throws -> Round {
    var tokens = 0
    let elapsed = try seconds { tokens = try model.evaluate(source).tokens }
    return Round(seconds: elapsed, tokens: tokens)
  }
}

/// Performs one training step per round, with Adam and dropout, on the next batch.
final class FitWork: Work {
  private let model: DistilBertMaskedLM
  private let batches: [[Sample]]
  private let batchSize: Int
  private var steps = 0

  init(_ settings: Worker.Settings) throws {
    model = try settings.loadModel()
    let samples = try settings.loadSamples(model.configuration)
    batchSize = settings.batchSize
    batches = stride(from: 0, to: samples.count, by: batchSize).map {
      Array(samples[$0..<min(samples.count, $0 + settings.batchSize)])
    }
    model.compile(optimizer: .adam(learningRate: 1e-5))
  }

  /// Returns the loss of the first batch before any step, without dropout, and then performs one step.
  func check() throws -> JSONValue? {
    let loss = try model.evaluate(SampleList(batches[0])).loss
    _ = try round()
    steps = 0
    return .object([("loss", .number(loss))])
  }

  func round() throws -> Round {
    let batch = batches[steps % batches.count]
    steps += 1
    let options = TrainingOptions(epochs: 1, maximumSteps: 1, batchSize: batchSize, shuffles: false)
    let elapsed = try seconds { try model.fit(SampleList(batch), options: options) }
    return Round(seconds: elapsed, tokens: batch.reduce(0) { $0 + $1.tokenIDs.count })
  }
}
