import CKernels

/// The loops over one row of n numbers that every layer is made of besides its products.
///
/// They are CKernels': the same source compiled for the baseline, AVX2 and AVX-512 (in ns a number, on Zen 4: softmax 1.15, 0.43, 0.29;
/// Adam's step in the cache 1.2, 0.4, 0.3; on Zen 3, baseline and AVX2: GELU 3.0, 1.0; its backward 4.3, 1.2). Results do not depend
/// on where a row lies or which thread computes it; their last bits depend on the processor.
package enum Elementwise {
  private static let rows = mlm_rows_for(mlm_instructions()).pointee

  /// y = eˣ, within 2·10⁻⁷ relative for −87.33 … 88.37; held at the ends of that range outside it. NaN stays NaN.
  package static func exp(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ n: Int) {
    rows.exponential(x, y, n)
  }

  /// y += x.
  @inline(__always)
  package static func add(_ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, _ n: Int) { rows.add(x, y, n) }

  package static func sumOfSquares(_ x: UnsafePointer<Float>, _ n: Int) -> Double { rows.sum_of_squares(x, n) }

  /// y = x·Φ(x), Φ within 1.2·10⁻⁷.
  package static func gelu(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ n: Int) {
    rows.gelu(x, y, n)
  }

  /// dx = dy · (Φ(x) + x·φ(x)); dx may be dy.
  package static func differentiateGelu(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>, _ n: Int
  ) { rows.gelu_backward(x, dy, dx, n) }

  /// NaN is passed over; of no numbers, or only such, the lowest finite one.
  package static func maximum(_ x: UnsafePointer<Float>, _ n: Int) -> Float { rows.maximum(x, n) }

  /// Σ exp(x − shift).
  package static func sumOfExponentials(_ x: UnsafePointer<Float>, minus shift: Float, _ n: Int) -> Double {
    rows.sum_of_exponentials(x, shift, n)
  }

  /// Replaces scores by factor · their probabilities; returns Σ exp(x − max).
  @discardableResult
  package static func softmax(_ x: UnsafeMutablePointer<Float>, scaledBy factor: Float = 1, _ n: Int) -> Double {
    rows.softmax(x, n, factor)
  }

  /// dp = p · (dp − Σ dp·p).
  package static func differentiateSoftmax(_ dp: UnsafeMutablePointer<Float>, _ p: UnsafePointer<Float>, _ n: Int) {
    rows.softmax_backward(dp, p, n)
  }

  /// x += residual; y = gain · (x − mean) · scale + bias, where scale = 1 / √(variance + epsilon).
  package static func normalize(
    _ x: UnsafeMutablePointer<Float>, adding residual: UnsafePointer<Float>?, gain: UnsafePointer<Float>,
    bias: UnsafePointer<Float>, epsilon: Float, into y: UnsafeMutablePointer<Float>, _ n: Int,
    mean: UnsafeMutablePointer<Float>, scale: UnsafeMutablePointer<Float>
  ) { rows.norm(x, residual, gain, bias, epsilon, y, n, mean, scale) }

  /// The gradient of x, with x̂ = (x − mean) · scale: dx = scale · (dx̂ − mean(dx̂) − x̂ · mean(dx̂ · x̂)), dx̂ = dy · gain; dx may be dy.
  package static func differentiateNorm(
    _ x: UnsafePointer<Float>, gain: UnsafePointer<Float>, mean: Float, scale: Float, _ dy: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>, _ n: Int
  ) { rows.norm_backward(x, gain, mean, scale, dy, dx, n) }

  /// What one row adds to the gradients of gain and bias: dy · x̂ and dy.
  package static func addNormGradients(
    _ x: UnsafePointer<Float>, mean: Float, scale: Float, _ dy: UnsafePointer<Float>,
    gain: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>, _ n: Int
  ) { rows.norm_gradients(x, mean, scale, dy, gain, bias, n) }

  /// y = 0 where the next 16 random bits are below the threshold, else factor · x; y may be x. The bits are those of `Philox.block`
  /// from this counter on, eight numbers a block.
  package static func drop(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ n: Int, seed: UInt64, counter: SIMD4<UInt32>,
    threshold: UInt16, factor: Float
  ) {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 4) {
      guard let words = $0.baseAddress else { return }
      for index in 0..<4 { words[index] = counter[index] }
      rows.dropout(x, y, n, seed, words, threshold, factor)
    }
  }

  /// One step of Adam over a piece of memory; the old parameters take the gradients' place.
  ///
  /// - Returns: the bits of the largest magnitude among the parameters that grew. As bits, where the order is that of the numbers
  ///   and NaN is above all.
  package static func adam(
    _ p: UnsafeMutablePointer<Float>, _ g: UnsafeMutablePointer<Float>, first m: UnsafeMutablePointer<Float>,
    second v: UnsafeMutablePointer<Float>, _ n: Int, _ step: AdamStep
  ) -> UInt32 {
    var numbers = mlm_adam(
      keep1: step.keep1, keep2: step.keep2, epsilon: step.epsilon, rate: step.rate, scale: step.scale, decay: step.decay
    )
    return rows.adam(p, g, m, v, n, &numbers)
  }
}

/// The numbers of one step of Adam: m += (g·scale − m) · keep1, v += (…² − v) · keep2, p = p · decay − rate · m / (√v + epsilon).
package struct AdamStep {
  package let keep1, keep2, epsilon, rate, scale, decay: Float

  package init(keep1: Float, keep2: Float, epsilon: Float, rate: Float, scale: Float, decay: Float) {
    (self.keep1, self.keep2, self.epsilon) = (keep1, keep2, epsilon)
    (self.rate, self.scale, self.decay) = (rate, scale, decay)
  }
}
