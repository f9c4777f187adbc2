import Testing

@testable import Tensor

@Suite struct InitializationTests {
  private func values(
    _ role: TensorSpecification.Role, index: Int = 0, seed: UInt64 = 1, threads: Int = 1, deviation: Float = 0.02
  ) -> [Float] {
    let specification = TensorSpecification(name: "x", shape: [300, 333], role: role)
    return [Float](unsafeUninitializedCapacity: specification.count) { buffer, count in
      guard let start = buffer.baseAddress else { return }
      Initialization.fill(
        start, specification, index: index, standardDeviation: deviation, seed: seed, on: WorkerPool(threads: threads))
      count = specification.count
    }
  }

  /// The standard deviation of a normal distribution truncated at ±2σ is 0.8796 σ, as for Keras' TruncatedNormal.
  @Test(arguments: [TensorSpecification.Role.kernel, .embedding], [0.02, 0.5] as [Float])
  func truncatedNormal(_ role: TensorSpecification.Role, _ deviation: Float) {
    let values = values(role, deviation: deviation).map { Double($0 / deviation) }
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let variance = values.reduce(0) { $0 + $1 * $1 } / count
    #expect(values.allSatisfy { abs($0) <= 2.000_001 })
    #expect(values.contains { $0 > 1.95 } && values.contains { $0 < -1.95 })
    #expect(abs(mean) < 0.015)
    #expect(abs(variance.squareRoot() - 0.879_626) < 0.01)
    // P(|x| < 1) of the truncated distribution: 0.6827 / 0.9545.
    #expect(abs(Double(values.filter { abs($0) < 1 }.count) / count - 0.715_2) < 0.01)
    let neighbors = zip(values, values.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / count
    #expect(abs(neighbors) < 0.015)
  }

  @Test func dependsOnSeedAndTensorAlone() {
    let first = values(.kernel)
    for threads in [2, 3] { #expect(values(.kernel, threads: threads) == first) }
    #expect(values(.kernel, index: 1) != first && values(.kernel, seed: 2) != first)
    #expect(Set(first).count > first.count / 2)
  }

  @Test func biasesAndNorms() {
    #expect(values(.bias).allSatisfy { $0 == 0 } && values(.normBias).allSatisfy { $0 == 0 })
    #expect(values(.normGain).allSatisfy { $0 == 1 })
  }
}
