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
  /// The figures of a reference model, and the differences from it; nil if not requested.
  public var comparison: ReferenceComparison?

  init(
    _ sums: LossSums, tokens: Int, samples: Int, pseudoLikelihood: PseudoLikelihood? = nil,
    comparison: ReferenceComparison? = nil
  ) {
    loss = sums.meanLoss
    accuracy = sums.accuracy
    perplexity = exp(sums.meanLoss)
    maskedTokens = sums.count
    self.tokens = tokens
    self.samples = samples
    self.pseudoLikelihood = pseudoLikelihood
    self.comparison = comparison
  }
}

/// Evaluates a network on a corpus. The figures are the same to the last bit for any number of threads: the results of
/// samples are independent (see `Batch`) and added up in order.
struct Evaluator {
  let network: Network
  let compute: Compute
  /// The network to compare with, on the same threads; nil for none.
  var reference: Network?

  /// The number of samples prepared and computed together; only they are in memory.
  static let window = 256

  /// The sums over one or more samples, of the network and of the reference.
  private struct Sums {
    var loss = LossSums()
    var comparison = ComparisonSums()
    var likelihood = PseudoLikelihood()
    var referenceLikelihood = PseudoLikelihood()
    var (tokens, samples) = (0, 0)

    static func += (sums: inout Sums, other: Sums) {
      sums.loss += other.loss
      sums.comparison += other.comparison
      sums.likelihood += other.likelihood
      sums.referenceLikelihood += other.referenceLikelihood
      sums.tokens += other.tokens
      sums.samples += other.samples
    }
  }

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
    func evaluation(_ sums: Sums) -> Evaluation {
      Evaluation(
        sums.loss, tokens: sums.tokens, samples: sums.samples,
        pseudoLikelihood: tokenMasking.map { _ in sums.likelihood },
        comparison: reference.map { _ in
          ReferenceComparison(
            sums.comparison, pseudoLikelihood: tokenMasking.map { _ in sums.referenceLikelihood })
        })
    }
    var sums = Sums()
    while sums.samples < source.count {
      let done = sums.samples
      let samples = try compute.samples(done..<min(source.count, done + Self.window), of: source, epoch: 0)
      var sampleSums = try self.sums(samples, against: reference)
      for part in parts(of: samples, tokenMasking) {
        if let tokenMasking { try addLikelihoods(of: samples[part], tokenMasking, to: &sampleSums) }
        for index in part {
          try onSample(sums.samples, evaluation(sampleSums[index]))
          sums += sampleSums[index]
        }
        if try !progress(sums.samples) { return evaluation(sums) }
      }
    }
    return evaluation(sums)
  }

  /// Adds each sample's pseudo-log-likelihoods to its sums.
  private func addLikelihoods(
    of samples: ArraySlice<Sample>, _ tokenMasking: TokenMasking, to sums: inout [Sums]
  ) throws {
    for (index, likelihood) in zip(samples.indices, try likelihoods(samples, tokenMasking)) {
      sums[index].likelihood = likelihood
    }
    guard let reference else { return }
    let likelihoods = try Evaluator(network: reference, compute: compute).likelihoods(samples, tokenMasking)
    for (index, likelihood) in zip(samples.indices, likelihoods) { sums[index].referenceLikelihood = likelihood }
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
  func sampleSums(_ samples: [Sample]) throws -> [LossSums] { try sums(samples, against: nil).map(\.loss) }

  private func sums(_ samples: [Sample], against reference: Network?) throws -> [Sums] {
    let alignment = max(network.rowAlignment, reference?.rowAlignment ?? 1)
    let groups = Batch.groups(
      samples.map { Batch.rows(of: $0, alignment: alignment) }, limit: Compute.microBatchRows)
    let batches = groups.map { Batch.inference(samples[$0], alignment: alignment) }
    var results = samples.map { Sums(tokens: $0.tokenIDs.count, samples: 1) }
    try results.withUnsafeMutableBufferPointer { results in
      nonisolated(unsafe) let results = results
      network.prepare(for: batches, on: compute.pool)
      reference?.prepare(for: batches, on: compute.pool)
      try compute.forEach(batches) { index, batch, context in
        network.forEachLogits(batch, and: reference, context) { rows, logits, referenceLogits in
          // The index of a row tells which sample its sums belong to.
          for sample in 0..<batch.masks.sampleCount {
            let mine = batch.masks.range(sample).clamped(to: rows)
            guard !mine.isEmpty else { continue }
            let part = mine.lowerBound - rows.lowerBound..<mine.upperBound - rows.lowerBound
            let (labels, weights) = (batch.labels[mine], batch.weights[mine])
            let (index, x) = (groups[index].lowerBound + sample, logits.rows(part))
            results[index].loss += CrossEntropy.evaluate(x, labels: labels, weights: weights, context.pool)
            guard let y = referenceLogits?.rows(part) else { continue }
            results[index].comparison += ScoreComparison.evaluate(
              x, against: y, labels: labels, weights: weights, context.pool)
          }
        }
      }
    }
    return results
  }
}
