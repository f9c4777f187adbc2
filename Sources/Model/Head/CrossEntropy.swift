import Glibc
import Tensor

/// Sums over masked tokens, for reported means and their divisors.
struct LossSums: Sendable, Equatable {
  /// Σ w · −log p(label), in nats.
  var loss = 0.0
  /// Σ w.
  var weight = 0.0
  /// Σ w over the tokens whose label has the highest score.
  var correct = 0.0
  /// The number of masked tokens with a weight.
  var count = 0

  static func += (sums: inout LossSums, other: LossSums) {
    sums.loss += other.loss
    sums.weight += other.weight
    sums.correct += other.correct
    sums.count += other.count
  }

  /// The mean loss per masked token, in nats; NaN without masked tokens.
  var meanLoss: Double { weight > 0 ? loss / weight : .nan }
  /// The share of masked tokens that are predicted correctly; NaN without masked tokens.
  var accuracy: Double { weight > 0 ? correct / weight : .nan }
}

/// Cross-entropy of scores and labels (Keras: `SparseCategoricalCrossentropy(from_logits=True)` with sample weights).
///
///     loss = Σ w · (log Σ exp(x) − x[label])        dx = factor · w · (softmax(x) − one-hot(label))
enum CrossEntropy {
  /// Returns the sums over the rows with a weight, added up in row order. A tie for the highest score goes to the lower
  /// id.
  ///
  /// - Parameter gradientFactor: if given, each row of scores is replaced by its gradient times this factor.
  static func evaluate(
    _ logits: Matrix, labels: ArraySlice<Int32>, weights: ArraySlice<Float>, gradientFactor: Float? = nil,
    _ pool: WorkerPool
  ) -> LossSums {
    var rowSums = [LossSums](repeating: LossSums(), count: logits.rows)
    rowSums.withUnsafeMutableBufferPointer { rowSums in
      let results = UncheckedBuffer(rowSums)
      pool.forEach(logits.rows) { _, row in
        let weight = weights[weights.startIndex + row]
        let x = logits[row]
        guard weight != 0 else {
          if gradientFactor != nil { x.update(repeating: 0, count: logits.columns) }
          return
        }
        let label = Int(labels[labels.startIndex + row])
        let (score, isHit) = (x[label], isFirstMaximum(label, x, logits.columns))
        let logSum: Double
        if let gradientFactor {
          logSum = replaceByGradient(x, logits.columns, label, factor: gradientFactor * weight)
        } else {
          logSum = Softmax.logSumExp(x, logits.columns)
        }
        results.buffer[row] = LossSums(
          loss: Double(weight) * (logSum - Double(score)), weight: Double(weight),
          correct: isHit ? Double(weight) : 0, count: 1)
      }
    }
    return rowSums.reduce(into: LossSums()) { $0 += $1 }
  }

  /// x = factor · (softmax(x) − one-hot(label)); returns log Σ exp(x).
  private static func replaceByGradient(
    _ x: UnsafeMutablePointer<Float>, _ n: Int, _ label: Int, factor: Float
  ) -> Double {
    let largest = Elementwise.maximum(x, n)
    let total = Elementwise.softmax(x, scaledBy: factor, n)
    x[label] -= factor
    return Double(largest) + log(total)
  }

  /// Returns whether this score is the highest, and the first of equal ones.
  static func isFirstMaximum(_ index: Int, _ x: UnsafePointer<Float>, _ n: Int) -> Bool {
    let largest = Elementwise.maximum(x, n)
    return x[index] == largest && !(0..<index).contains { x[$0] == largest }
  }

  /// Returns the index of the highest score, the first of equal ones; nil if no score is a number.
  static func firstMaximum(_ x: UnsafePointer<Float>, _ n: Int) -> Int? {
    let largest = Elementwise.maximum(x, n)
    return (0..<n).first { x[$0] == largest }
  }

  /// A buffer in which each worker writes only its own rows.
  private struct UncheckedBuffer: @unchecked Sendable {
    let buffer: UnsafeMutableBufferPointer<LossSums>
    init(_ buffer: UnsafeMutableBufferPointer<LossSums>) { self.buffer = buffer }
  }
}
