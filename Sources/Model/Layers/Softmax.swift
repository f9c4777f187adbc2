import Glibc
import Tensor

/// Probabilities of a row of scores.
///
///     p = exp(x − max) / Σ exp(x − max)
enum Softmax {
  /// Replaces n scores by their probabilities.
  static func apply(_ x: UnsafeMutablePointer<Float>, _ n: Int) { Elementwise.softmax(x, n) }

  /// log Σ exp(x), without changing x.
  static func logSumExp(_ x: UnsafePointer<Float>, _ n: Int) -> Double {
    let largest = Elementwise.maximum(x, n)
    return Double(largest) + log(Elementwise.sumOfExponentials(x, minus: largest, n))
  }

  /// dx = p · (dp − Σ dp · p) for a row of n probabilities; dx may be dp.
  static func backward(_ dp: UnsafeMutablePointer<Float>, p: UnsafePointer<Float>, _ n: Int) {
    Elementwise.differentiateSoftmax(dp, p, n)
  }
}
