import Glibc

/// Random starting values (KerasHub: `TruncatedNormal(stddev: 0.02)` for kernels and embeddings, zero biases, norms 1
/// and 0).
package enum Initialization {
  /// Fills `values` (rows × columns). Each row has its own random stream, so the result does not depend on the threads.
  package static func fill(
    _ values: UnsafeMutablePointer<Float>, _ specification: TensorSpecification, index: Int,
    standardDeviation: Float, seed: UInt64, on pool: WorkerPool
  ) {
    let count = specification.count
    switch specification.role {
    case .bias, .normBias: values.update(repeating: 0, count: count)
    case .normGain: values.update(repeating: 1, count: count)
    case .embedding, .kernel:
      let columns = max(1, specification.shape.last ?? 1)
      pool.split(count / columns) { _, rows in
        for row in rows {
          var random = RandomStream(seed: seed, purpose: .initialization, epoch: row, sample: index)
          for column in 0..<columns {
            values[row * columns + column] = standardDeviation * truncatedNormal(&random)
          }
        }
      }
    }
  }

  /// A standard normal number (Box and Muller 1958), redrawn while it is beyond two standard deviations.
  private static func truncatedNormal(_ random: inout RandomStream) -> Float {
    while true {
      let radius = (-2 * logf(1 - random.uniform())).squareRoot()
      let value = radius * cosf(2 * .pi * random.uniform())
      if abs(value) <= 2 { return value }
    }
  }
}
