import Glibc
import Tensor

/// The figures of a reference model, such as the same model in float32, on the masked tokens of an evaluation, and how
/// the evaluated model's answers differ from its.
///
/// Means are over the masked tokens, with the weights of the loss. All are NaN if no token is masked.
public struct ReferenceComparison: Sendable, Equatable {
  /// The reference's cross-entropy per masked token, in nats.
  public var loss: Double
  /// The share of masked tokens whose label has the reference's highest score.
  public var accuracy: Double
  /// exp of the reference's loss.
  public var perplexity: Double
  /// The reference's score of every token when masked alone; nil if not requested.
  public var pseudoLikelihood: PseudoLikelihood?
  /// The share of masked tokens for which both models give the highest score to the same word piece.
  public var equalFirstAnswers: Double
  /// The mean Kullback–Leibler divergence of the evaluated model's probabilities p from the reference's q, in nats:
  /// Σ q · log(q / p) over the vocabulary. It is exactly 0 for equal scores; rounding errors are about 10⁻⁷.
  public var divergence: Double

  init(_ sums: ComparisonSums, pseudoLikelihood: PseudoLikelihood?) {
    loss = sums.loss.meanLoss
    accuracy = sums.loss.accuracy
    perplexity = exp(sums.loss.meanLoss)
    self.pseudoLikelihood = pseudoLikelihood
    let weight = sums.loss.weight
    equalFirstAnswers = weight > 0 ? sums.equal / weight : .nan
    divergence = weight > 0 ? sums.divergence / weight : .nan
  }
}

/// Sums over masked tokens, for the means of a comparison.
struct ComparisonSums: Sendable, Equatable {
  /// The reference's own sums.
  var loss = LossSums()
  /// Σ w over the tokens for which both models have the same first answer.
  var equal = 0.0
  /// Σ w · KL, in nats.
  var divergence = 0.0

  static func += (sums: inout ComparisonSums, other: ComparisonSums) {
    sums.loss += other.loss
    sums.equal += other.equal
    sums.divergence += other.divergence
  }
}

/// Compares the scores of two models.
///
///     KL(q ‖ p) = Σ q · (y − x) − (log Σ exp(y) − log Σ exp(x))        p = softmax(x), q = softmax(y)
enum ScoreComparison {
  /// Returns the sums over the rows with a weight, added up in row order. Overwrites both matrices of scores.
  static func evaluate(
    _ scores: Matrix, against reference: Matrix, labels: ArraySlice<Int32>, weights: ArraySlice<Float>,
    _ pool: WorkerPool
  ) -> ComparisonSums {
    let loss = CrossEntropy.evaluate(reference, labels: labels, weights: weights, pool)
    let n = scores.columns
    var rowSums = [ComparisonSums](repeating: ComparisonSums(), count: scores.rows)
    rowSums.withUnsafeMutableBufferPointer { rowSums in
      nonisolated(unsafe) let rowSums = rowSums
      pool.forEach(scores.rows) { _, row in
        let weight = Double(weights[weights.startIndex + row])
        guard weight != 0 else { return }
        let (x, y) = (scores[row], reference[row])
        if CrossEntropy.firstMaximum(x, n) == CrossEntropy.firstMaximum(y, n) { rowSums[row].equal = weight }
        rowSums[row].divergence = weight * divergence(of: x, from: y, n)
      }
    }
    return rowSums.reduce(into: ComparisonSums(loss: loss)) { $0 += $1 }
  }

  /// KL(softmax(y) ‖ softmax(x)), in nats. Overwrites x and y.
  static func divergence(
    of x: UnsafeMutablePointer<Float>, from y: UnsafeMutablePointer<Float>, _ n: Int
  ) -> Double {
    let difference = Softmax.logSumExp(y, n) - Softmax.logSumExp(x, n)
    for i in 0..<n { x[i] = y[i] - x[i] }
    Softmax.apply(y, n)
    // The probabilities are float32: their sum differs from 1 by rounding.
    var (sum, total) = (0.0, 0.0)
    for i in 0..<n {
      sum += Double(y[i]) * Double(x[i])
      total += Double(y[i])
    }
    return sum / total - difference
  }
}
