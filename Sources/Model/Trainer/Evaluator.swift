import Glibc

/// The figures of an evaluation.
public struct Evaluation: Sendable, Equatable {
  /// The cross-entropy per masked token, in nats. Loss, accuracy and perplexity are NaN if no token is masked.
  public var loss: Double
  /// The share of masked tokens whose label has the highest score.
  public var accuracy: Double
  /// exp(loss): per masked token, not comparable with a left-to-right model's. Infinite if it overflows.
  public var perplexity: Double
  /// The number of masked tokens with a weight, over which loss and accuracy are means.
  public var maskedTokens: Int
  /// The number of tokens, including [CLS] and [SEP].
  public var tokens: Int
  /// The number of samples.
  public var samples: Int
  /// The score of every token when masked alone; nil if not requested.
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

/// Evaluates a network on a corpus. The figures are the same to the last bit for any number of threads: the results of
/// samples are independent (see `Batch`) and added up in order.
struct Evaluator {
  let network: Network
  let compute: Compute

  /// The number of samples prepared and computed together; only they are in memory.
  static let window = 256

  /// - Parameters:
  ///   - tokenMasking: also scores every token with itself masked, n passes for a sample of n tokens.
  ///   - progress: called with the number of samples done; false stops and returns the figures so far.
  ///   - onSample: called with each sample's index and figures, in order.
  /// - Throws: the errors of the source and the closures; `CancellationError` between batches if the caller's task is
  ///   canceled.
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
        for (offset, index) in part.enumerated() {
          let count = samples[index].tokenIDs.count
          let likelihood = likelihoods?[offset]
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

  /// Divides a window into the parts between two progress reports: the whole window, or fewer samples if every token is
  /// scored, which takes longer.
  private func parts(of samples: [Sample], _ tokenMasking: TokenMasking?) -> [Range<Int>] {
    guard let tokenMasking else { return samples.isEmpty ? [] : [samples.indices] }
    let rows = samples.map { sample in
      tokenMasking.scoredTokens(of: sample).indices.count * Batch.rows(of: sample, alignment: network.rowAlignment)
    }
    return Batch.groups(rows, limit: Self.microBatchesOfAPart * Compute.microBatchRows * compute.pool.threads)
  }

  /// The size of a part, per thread.
  private static let microBatchesOfAPart = 16

  /// Returns each sample's pseudo-log-likelihood. The copies of one or several samples are computed together, like any
  /// samples.
  ///
  /// Tried and rejected: computing the first layer's queries, keys and values once for the tokens that copies share.
  /// Base size, 2 threads: 4 % less time for lines of 28 tokens, 1 % for lines of 160.
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

  /// Returns the sums of each sample.
  func sampleSums(_ samples: [Sample]) throws -> [LossSums] {
    let groups = Batch.groups(
      samples.map { Batch.rows(of: $0, alignment: network.rowAlignment) }, limit: Compute.microBatchRows)
    let batches = groups.map { Batch.inference(samples[$0], alignment: network.rowAlignment) }
    var results = [LossSums](repeating: LossSums(), count: samples.count)
    try results.withUnsafeMutableBufferPointer { results in
      nonisolated(unsafe) let results = results
      network.prepare(for: batches, on: compute.pool)
      try compute.forEach(batches) { index, batch, context in
        // The index of a row tells which sample its sums belong to.
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
