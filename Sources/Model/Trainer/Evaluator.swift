import Glibc

/// What evaluation finds.
public struct Evaluation: Sendable, Equatable {
  /// Cross-entropy per masked token, in nats. This and the next two are NaN where no token is masked.
  public var loss: Double
  /// The share of masked tokens whose label has the highest score.
  public var accuracy: Double
  /// exp(loss): per masked token, not comparable with a left-to-right model's. Infinite where that overflows.
  public var perplexity: Double
  /// Masked tokens with a weight: what loss and accuracy are means over.
  public var maskedTokens: Int
  /// [CLS] and [SEP] counted.
  public var tokens: Int
  /// The number of samples.
  public var samples: Int
  /// Every token scored in its turn; nil where that was not asked for.
  public var pseudoLikelihood: PseudoLikelihood?

  init(_ sums: LossSums, tokens: Int, samples: Int, pseudoLikelihood: PseudoLikelihood? = nil) {
    loss = sums.meanLoss
    accuracy = sums.accuracy
    perplexity = exp(sums.meanLoss)
    maskedTokens = sums.count
    self.tokens = tokens
    self.samples = samples
    self.pseudoLikelihood = pseudoLikelihood
  }
}

/// Measures a network on a corpus. The figures are the same to the last bit for any number of threads: samples are computed
/// by themselves (see `Batch`) and added up in their order.
struct Evaluator {
  let network: Network
  let compute: Compute

  /// Samples prepared and computed together; only they are in memory.
  static let window = 256

  /// - Parameters:
  ///   - tokenMasking: also scores every token in its turn. A sample of n tokens then costs n times as much.
  ///   - progress: called with the samples done; returning false stops with what was measured until then.
  ///   - onSample: called with each sample's index and its own figures, in order.
  /// - Throws: what the source and the closures throw; `CancellationError` between batches where the caller's task is canceled.
  func evaluate(
    _ source: some SampleSource, tokenMasking: TokenMasking? = nil,
    progress: (_ done: Int) throws -> Bool = { _ in true },
    onSample: (_ index: Int, Evaluation) throws -> Void = { _, _ in }
  ) throws -> Evaluation {
    var sums = LossSums()
    var pseudoLikelihood = tokenMasking.map { _ in PseudoLikelihood() }
    var (tokens, done) = (0, 0)
    evaluation: while done < source.count {
      let samples = try compute.samples(done..<min(source.count, done + Self.window), of: source, epoch: 0)
      let sampleSums = try sampleSums(samples)
      for part in parts(of: samples, tokenMasking) {
        let likelihoods = try tokenMasking.map { try self.likelihoods(samples[part], $0) }
        for (place, index) in part.enumerated() {
          let count = samples[index].tokenIDs.count
          let likelihood = likelihoods?[place]
          try onSample(
            done, Evaluation(sampleSums[index], tokens: count, samples: 1, pseudoLikelihood: likelihood))
          sums += sampleSums[index]
          if let likelihood { pseudoLikelihood? += likelihood }
          tokens += count
          done += 1
        }
        if try !progress(done) { break evaluation }
      }
    }
    return Evaluation(sums, tokens: tokens, samples: done, pseudoLikelihood: pseudoLikelihood)
  }

  /// What of a window is finished at once: all of it, or where tokens are scored in their turn, what takes so long that it is
  /// worth saying how far it is.
  private func parts(of samples: [Sample], _ tokenMasking: TokenMasking?) -> [Range<Int>] {
    guard let tokenMasking else { return samples.isEmpty ? [] : [samples.indices] }
    let rows = samples.map { sample in
      tokenMasking.places(of: sample).places.count * Batch.rows(of: sample, alignment: Batch.inferenceAlignment)
    }
    return Batch.groups(rows, limit: Self.microBatchesOfAPart * Compute.microBatchRows * compute.pool.threads)
  }

  /// For each thread.
  private static let microBatchesOfAPart = 16

  /// Each sample's pseudo-log-likelihood: the copies of one sample, and of several, are computed together like any samples.
  ///
  /// Tried and left: the first layer's queries, keys and values once for the tokens that copies share. Base size, 2 threads:
  /// 4 % less time for lines of 28 tokens, 1 % for lines of 160.
  private func likelihoods(_ samples: ArraySlice<Sample>, _ tokenMasking: TokenMasking) throws -> [PseudoLikelihood] {
    let copies = samples.map { tokenMasking($0) }
    var sums = try sampleSums(copies.flatMap(\.self))[...]
    return copies.map { copies in
      defer { sums = sums.dropFirst(copies.count) }
      return sums.prefix(copies.count).reduce(into: PseudoLikelihood()) { likelihood, sum in
        likelihood += PseudoLikelihood(logLikelihood: -sum.loss, tokens: sum.count)
      }
    }
  }

  /// The sums of each sample.
  func sampleSums(_ samples: [Sample]) throws -> [LossSums] {
    let groups = Batch.groups(
      samples.map { Batch.rows(of: $0, alignment: Batch.inferenceAlignment) }, limit: Compute.microBatchRows)
    let batches = groups.map { Batch.inference(samples[$0]) }
    var results = [LossSums](repeating: LossSums(), count: samples.count)
    try results.withUnsafeMutableBufferPointer { results in
      nonisolated(unsafe) let results = results
      network.prepare(for: batches, on: compute.pool)
      try compute.forEach(batches) { index, batch, context in
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
