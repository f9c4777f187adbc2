import Glibc
import TestSupport
import Testing

@testable import Model
@testable import Tensor

@Suite struct OptimizerTests {
  private func specifications(_ counts: [Int] = [5, 24, 7, 100_003]) -> [TensorSpecification] {
    let roles: [TensorSpecification.Role] = [.bias, .kernel, .normGain, .embedding, .normBias]
    return counts.enumerated().map {
      TensorSpecification(name: "\($0)", shape: [$1], role: roles[$0 % 5])
    }
  }

  private func setGradients(_ store: ParameterStore, _ bench: Bench, scale: Float = 1) throws {
    for parameter in store.parameters {
      let gradient = try #require(parameter.gradient)
      for index in 0..<parameter.count { gradient.start[index] = bench.number(scale) }
    }
  }

  /// Compares with Keras' formulas in Double: ten steps with changing rates, decay and scaled gradients.
  @Test(
    arguments: [
      Optimizer.adam(learningRate: 0.01), .adamW(learningRate: 0.01, weightDecay: 0.1),
      .adamW(learningRate: 0.1, beta1: 0.5, beta2: 0.9, epsilon: 1e-3, weightDecay: 0.3),
    ], [1, 3])
  func stepsAreTheFormulas(_ optimizer: Optimizer, _ threads: Int) throws {
    try Bench.run(threads: threads) { bench in
      let store = try bench.parameters(specifications([5, 24, 7, 70_003, 9]))
      let state = OptimizerState(store)
      var p = store.parameters.map { $0.matrix.array.map(Double.init) }
      var m = p.map { $0.map { _ in 0.0 } }
      var v = m
      let (beta1, beta2) = (Double(optimizer.beta1), Double(optimizer.beta2))
      for step in 1...10 {
        try setGradients(store, bench)
        let rate = Double(optimizer.learningRate) / Double(step)
        for (index, parameter) in store.parameters.enumerated() {
          let gradients = try #require(parameter.gradient).array
          let decays = parameter.specification.role == .kernel || parameter.specification.role == .embedding
          for i in gradients.indices {
            let g = Double(gradients[i]) * 0.5
            if decays { p[index][i] -= rate * Double(optimizer.weightDecay) * p[index][i] }
            m[index][i] += (g - m[index][i]) * (1 - beta1)
            v[index][i] += (g * g - v[index][i]) * (1 - beta2)
            let alpha = rate * (1 - pow(beta2, Double(step))).squareRoot() / (1 - pow(beta1, Double(step)))
            p[index][i] -= alpha * m[index][i] / (v[index][i].squareRoot() + Double(optimizer.epsilon))
          }
        }
        #expect(state.step(store, optimizer, learningRate: Float(rate), scale: 0.5, bench.context.pool))
        #expect(state.steps == step)
      }
      for (index, parameter) in store.parameters.enumerated() {
        #expect(zip(parameter.matrix.array, p[index]).allSatisfy { abs(Double($0) - $1) < 2e-6 }, "\(parameter.name)")
      }
    }
  }

  @Test func defaultsAreKeras() {
    let (adam, adamW) = (Optimizer.adam(), Optimizer.adamW())
    for optimizer in [adam, adamW] {
      #expect(optimizer.learningRate == 5e-5 && optimizer.beta1 == 0.9 && optimizer.beta2 == 0.999)
      #expect(optimizer.epsilon == 1e-7 && optimizer.clipNorm == nil)
    }
    #expect(adam.weightDecay == 0 && adamW.weightDecay == 0.01)
  }

  /// Without a gradient, a step is only the decay.
  @Test func decayLeavesBiasesAndNormsAlone() throws {
    try Bench.run { bench in
      let store = try bench.parameters(specifications())
      let before = store.parameters.map { $0.matrix.array }
      _ = OptimizerState(store).step(store, .adamW(weightDecay: 0.5), learningRate: 0.1, scale: 1, bench.context.pool)
      for (parameter, before) in zip(store.parameters, before) {
        let expected = parameter.specification.decays ? before.map { $0 * 0.95 } : before
        #expect(largestDifference(parameter.matrix.array, expected) < 1e-7)
      }
      #expect(store.parameters.map(\.specification.decays) == [false, true, false, true])
    }
  }

  @Test func frozenParametersStay() throws {
    try Bench.run { bench in
      let store = try bench.parameters(specifications())
      try setGradients(store, bench)
      for parameter in store.parameters where Int(parameter.name).map({ $0 % 2 == 0 }) ?? false {
        parameter.isTrainable = false
      }
      let before = store.parameters.map { $0.matrix.bits }
      _ = OptimizerState(store).step(store, .adamW(), learningRate: 0.1, scale: 1, bench.context.pool)
      for (parameter, before) in zip(store.parameters, before) {
        #expect((parameter.matrix.bits == before) == (Int(parameter.name).map { $0 % 2 == 0 } ?? false))
      }
    }
  }

  @Test func normOfTheGradients() throws {
    func norm(_ threads: Int) throws -> Double {
      try Bench.run(threads: threads) { bench in
        let store = try bench.parameters(specifications([5, 24, 200_001, 100_003]))
        try setGradients(store, bench)
        let norm = OptimizerState.gradientNorm(store, bench.context.pool)
        var sum = 0.0
        for parameter in store.parameters {
          for value in try #require(parameter.gradient).array { sum += Double(value) * Double(value) }
        }
        #expect(abs(norm - sum.squareRoot()) < 1e-6 * norm)
        return norm
      }
    }
    let one = try norm(1)
    for threads in [2, 3, 8] { #expect(try norm(threads) == one) }
  }

  @Test(arguments: [0, 7, 8, 199_999])
  func aBrokenGradientBreaksTheNorm(_ index: Int) throws {
    try Bench.run(threads: 2) { bench in
      let store = try bench.parameters(specifications([200_000]))
      try setGradients(store, bench)
      try #require(store.parameters[0].gradient).start[index] = .nan
      #expect(OptimizerState.gradientNorm(store, bench.context.pool).isNaN)
    }
  }
}
