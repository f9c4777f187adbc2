import Glibc
import Tensor

/// The probabilities of a row of scores.
///
///     p = exp(x − max) / Σ exp(x − max)
enum Softmax {
  /// Replaces n scores with their probabilities.
  static func apply(_ x: UnsafeMutablePointer<Float>, _ n: Int) { Elementwise.softmax(x, n) }

  /// Returns log Σ exp(x) without changing x.
  static func logSumExp(_ x: UnsafePointer<Float>, _ n: Int) -> Double {
    let largest = Elementwise.maximum(x, n)
    return Double(largest) + log(Elementwise.sumOfExponentials(x, minus: largest, n))
  }

  /// Computes dx = p · (dp − Σ dp · p) for a row of n probabilities. dx may be dp.
  static func backward(_ dp: UnsafeMutablePointer<Float>, p: UnsafePointer<Float>, _ n: Int) {
    Elementwise.differentiateSoftmax(dp, p, n)
  }
}
