import Glibc

/// How large the weights can have become since they were last looked at, so that steps which cannot make one too large are known
/// without looking: with usual learning rates that is every step, and the weights are looked at once.
///
/// By Cauchy and Schwarz, with |mₜ| ≤ (1 − β1) Σ β1ʲ |gₜ₋ⱼ| and vₜ = (1 − β2) Σ β2ʲ gₜ₋ⱼ²:
///
///     |mₜ| / √vₜ ≤ (1 − β1) / √(1 − β2) · √(Σ (β1² / β2)ʲ)        j = 0 … t − 1
struct WeightReach {
  /// No weight is larger; nil before they were looked at.
  private var largest: Double?
  /// Σ (β1² / β2)ʲ over the steps so far, and their number.
  private var sum = (terms: 0, value: 0.0, next: 1.0)

  /// Adds a step.
  ///
  /// - Parameters:
  ///   - steps: the number of the step, the first is 1.
  ///   - look: the largest magnitude of the weights as they are.
  /// - Returns: whether the step can make no weight larger than `OptimizerState.largestWeight`.
  mutating func add(_ optimizer: Optimizer, learningRate: Float, steps: Int, look: () -> Float) -> Bool {
    let move = largestMove(optimizer, rate: Double(learningRate), steps: steps)
    let limit = Double(OptimizerState.largestWeight)
    // Decay of this much makes weights larger.
    let decays = (0...1).contains(Double(learningRate) * Double(optimizer.weightDecay))
    if let largest, decays, largest + move <= limit {
      self.largest = largest + move
      return true
    }
    let now = Double(look())
    largest = now + move
    return decays && now + move <= limit
  }

  /// The most that a step can change a weight by.
  private mutating func largestMove(_ optimizer: Optimizer, rate: Double, steps: Int) -> Double {
    let (beta1, beta2) = (Double(optimizer.beta1), Double(optimizer.beta2))
    while sum.terms < steps, sum.next > 1e-12 || sum.terms == 0 {
      sum.value += sum.next
      sum.next *= beta2 > 0 ? beta1 * beta1 / beta2 : .infinity
      sum.terms += 1
      if sum.value > 1e12 { return .infinity }
    }
    let ratio = (1 - beta1) / (1 - beta2).squareRoot() * sum.value.squareRoot()
    let correction = (1 - pow(beta2, Double(steps))).squareRoot() / (1 - pow(beta1, Double(steps)))
    // Squares of smaller gradients have few bits, or none. The factor is for all rounding.
    let smallGradients = 1e-18 / Double(optimizer.epsilon)
    let move = 2 * rate * correction * (ratio + smallGradients)
    return move.isFinite ? move : .infinity
  }
}
