/// The sum over masked tokens of what is reported and what is divided by.
struct LossSums: Sendable, Equatable {
  /// Σ w · −log p(label), in nats.
  var loss = 0.0
  /// Σ w.
  var weight = 0.0
  /// Σ w where the label has the highest score.
  var correct = 0.0
  /// The number of masked tokens with a weight.
  var count = 0

  static func += (sums: inout LossSums, other: LossSums) {
    sums.loss += other.loss
    sums.weight += other.weight
    sums.correct += other.correct
    sums.count += other.count
  }

  /// Nats per masked token; 0 where there is none.
  var meanLoss: Double { weight > 0 ? loss / weight : 0 }
  var accuracy: Double { weight > 0 ? correct / weight : 0 }
}

/// Cross-entropy of scores and labels (Keras: `SparseCategoricalCrossentropy(from_logits=True)` with sample weights).
///
///     loss = Σ w · (log Σ exp(x) − x[label])        dx = factor · w · (softmax(x) − one-hot(label))
enum CrossEntropy {
  /// Sums over the rows with a weight, added up in row order. A tie for the highest score goes to the lower id.
  ///
  /// - Parameter gradientFactor: where given, each row of scores is replaced by its gradient times this factor.
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
        let logSum = Softmax.logSumExp(x, logits.columns)
        let hit = firstMaximum(x, logits.columns) == label
        results.buffer[row] = LossSums(
          loss: Double(weight) * (logSum - Double(x[label])), weight: Double(weight), correct: hit ? Double(weight) : 0,
          count: 1)
        if let gradientFactor { differentiate(x, logits.columns, label, Float(logSum), gradientFactor * weight) }
      }
    }
    return rowSums.reduce(into: LossSums()) { $0 += $1 }
  }

  private static func differentiate(
    _ x: UnsafeMutablePointer<Float>, _ n: Int, _ label: Int, _ logSum: Float, _ factor: Float
  ) {
    forEachEight(n) {
      x.setVector($0, factor * Elementary.exp(x.vector($0) - logSum))
    } scalar: {
      x[$0] = factor * Elementary.exp(x[$0] - logSum)
    }
    x[label] -= factor
  }

  static func firstMaximum(_ x: UnsafePointer<Float>, _ n: Int) -> Int {
    let largest = Softmax.maximum(x, n)
    for index in 0..<n where x[index] == largest { return index }
    return 0
  }

  /// Rows are written by different workers, each its own.
  private struct UncheckedBuffer: @unchecked Sendable {
    let buffer: UnsafeMutableBufferPointer<LossSums>
    init(_ buffer: UnsafeMutableBufferPointer<LossSums>) { self.buffer = buffer }
  }
}
