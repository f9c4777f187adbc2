import Glibc

/// What evaluation finds.
public struct Evaluation: Sendable, Equatable {
  /// Cross-entropy per masked token, in nats.
  public var loss: Double
  /// The share of masked tokens whose label has the highest score.
  public var accuracy: Double
  /// exp(loss): per masked token, not comparable with a left-to-right model's. Infinite where that overflows.
  public var perplexity: Double
  public var maskedTokens: Int
  /// [CLS] and [SEP] counted.
  public var tokens: Int
  public var samples: Int

  init(_ sums: LossSums, tokens: Int, samples: Int) {
    loss = sums.meanLoss
    accuracy = sums.accuracy
    perplexity = exp(sums.meanLoss)
    maskedTokens = sums.count
    self.tokens = tokens
    self.samples = samples
  }
}

/// Measures a network on a corpus. The figures are the same to the last bit for any number of threads: samples are computed
/// by themselves (see `Batch`) and added up in their order.
struct Evaluator {
  let network: Network
  let compute: Compute

  /// Samples prepared and computed together; only they are in memory.
  static let window = 256

  /// - Parameter progress: called with the samples done; returning false stops with what was measured until then.
  func evaluate(_ source: some SampleSource, progress: (_ done: Int) throws -> Bool = { _ in true }) throws
    -> Evaluation
  {
    var sums = LossSums()
    var (tokens, done) = (0, 0)
    while done < source.count {
      let samples = try compute.samples(done..<min(source.count, done + Self.window), of: source, epoch: 0)
      for sample in sampleSums(samples) { sums += sample }
      tokens += samples.reduce(0) { $0 + $1.tokenIDs.count }
      done += samples.count
      if try !progress(done) { break }
    }
    return Evaluation(sums, tokens: tokens, samples: done)
  }

  /// The sums of each sample.
  func sampleSums(_ samples: [Sample]) -> [LossSums] {
    let groups = Batch.groups(
      samples.map { Batch.rows(of: $0, alignment: Batch.inferenceAlignment) }, limit: Compute.microBatchRows)
    let batches = groups.map { Batch.inference(samples[$0]) }
    var results = [LossSums](repeating: LossSums(), count: samples.count)
    results.withUnsafeMutableBufferPointer { results in
      nonisolated(unsafe) let results = results
      compute.forEach(batches) { index, batch, context in
        // The row's sums are attributed to its sample by its place.
        network.forEachLogits(batch, context) { rows, logits in
          for sample in 0..<batch.masks.sampleCount {
            let mine = batch.masks.range(sample).clamped(to: rows)
            guard !mine.isEmpty else { continue }
            let part = logits.rows(mine.lowerBound - rows.lowerBound..<mine.upperBound - rows.lowerBound)
            results[groups[index].lowerBound + sample] += CrossEntropy.evaluate(
              part, labels: batch.labels[mine], weights: batch.weights[mine], context.pool)
          }
        }
      }
    }
    return results
  }
}
