import Glibc

/// An upper bound on the weights since they were last scanned. It identifies steps that cannot make a weight too large
/// without a scan: with usual learning rates that is every step, and the weights are scanned once.
///
/// By Cauchy and Schwarz, with |mₜ| ≤ (1 − β1) Σ β1ʲ |gₜ₋ⱼ| and vₜ = (1 − β2) Σ β2ʲ gₜ₋ⱼ²:
///
///     |mₜ| / √vₜ ≤ (1 − β1) / √(1 − β2) · √(Σ (β1² / β2)ʲ)        j = 0 … t − 1
struct WeightReach {
  /// The upper bound; nil before the first scan.
  private var largest: Double?
  /// The sum Σ (β1² / β2)ʲ over the steps so far, and their number.
  private var sum = (terms: 0, value: 0.0, next: 1.0)

  /// Extends the bound by a step.
  ///
  /// - Parameters:
  ///   - steps: the number of the step, from 1.
  ///   - look: returns the largest magnitude of the current weights.
  /// - Returns: whether the step cannot make a weight larger than `OptimizerState.largestWeight`.
  mutating func add(_ optimizer: Optimizer, learningRate: Float, steps: Int, look: () -> Float) -> Bool {
    let move = largestMove(optimizer, rate: Double(learningRate), steps: steps)
    let limit = Double(OptimizerState.largestWeight)
    // A decay outside this range makes weights larger.
    let decays = (0...1).contains(Double(learningRate) * Double(optimizer.weightDecay))
    if let largest, decays, largest + move <= limit {
      self.largest = largest + move
      return true
    }
    let now = Double(look())
    largest = now + move
    return decays && now + move <= limit
  }

  /// Returns the largest change of a weight in a step.
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
    // Squares of smaller gradients have few bits, or none. The factor 2 covers all rounding.
    let smallGradients = 1e-18 / Double(optimizer.epsilon)
    let move = 2 * rate * correction * (ratio + smallGradients)
    return move.isFinite ? move : .infinity
  }
}
