import Glibc

/// Probabilities of a row of scores.
///
///     p = exp(x − max) / Σ exp(x − max)
enum Softmax {
  /// Replaces n scores by their probabilities.
  static func apply(_ x: UnsafeMutablePointer<Float>, _ n: Int) {
    let largest = maximum(x, n)
    forEachEight(n) {
      x.setVector($0, Elementary.exp(x.vector($0) - largest))
    } scalar: {
      x[$0] = Elementary.exp(x[$0] - largest)
    }
    let total = sum(n) {
      x.vector($0)
    } scalar: {
      x[$0]
    }
    let scale = Float(1 / total)
    forEachEight(n) {
      x.setVector($0, x.vector($0) * scale)
    } scalar: {
      x[$0] *= scale
    }
  }

  /// log Σ exp(x), without changing x.
  static func logSumExp(_ x: UnsafePointer<Float>, _ n: Int) -> Double {
    let largest = maximum(x, n)
    return Double(largest) + log(sumOfExponentials(x, n, minus: largest))
  }

  private static func sumOfExponentials(_ x: UnsafePointer<Float>, _ n: Int, minus largest: Float) -> Double {
    sum(n) {
      Elementary.exp(x.vector($0) - largest)
    } scalar: {
      Elementary.exp(x[$0] - largest)
    }
  }

  static func maximum(_ x: UnsafePointer<Float>, _ n: Int) -> Float {
    var lanes = Floats(repeating: -.greatestFiniteMagnitude)
    var rest = -Float.greatestFiniteMagnitude
    // NaN is passed over here; the sums afterwards bring it back. (`pointwiseMax` is a call of its own and three times slower.)
    forEachEight(n) {
      let x = x.vector($0); lanes.replace(with: x, where: x .> lanes)
    } scalar: {
      rest = max(rest, x[$0])
    }
    return max(lanes.largest, rest)
  }

  /// Sums in Float within runs of 512 and in Double over the runs: a vocabulary's 30,522 terms lose no digits.
  @inline(__always)
  private static func sum(_ n: Int, vector: (Int) -> Floats, scalar: (Int) -> Float) -> Double {
    var total = 0.0
    var start = 0
    while start < n {
      let count = min(512, n - start)
      var lanes = Floats()
      var rest: Float = 0
      forEachEight(count) {
        lanes += vector(start + $0)
      } scalar: {
        rest += scalar(start + $0)
      }
      total += Double(lanes.total) + Double(rest)
      start += count
    }
    return total
  }

  /// dx = p · (dp − Σ dp · p) for a row of n probabilities; dx may be dp.
  static func backward(_ dp: UnsafeMutablePointer<Float>, p: UnsafePointer<Float>, _ n: Int) {
    var lanes = Floats()
    var rest: Float = 0
    forEachEight(n) {
      lanes += dp.vector($0) * p.vector($0)
    } scalar: {
      rest += dp[$0] * p[$0]
    }
    let inner = lanes.total + rest
    forEachEight(n) {
      dp.setVector($0, p.vector($0) * (dp.vector($0) - inner))
    } scalar: {
      dp[$0] = p[$0] * (dp[$0] - inner)
    }
  }
}
