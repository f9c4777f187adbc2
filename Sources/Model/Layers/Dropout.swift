import Tensor

/// Which random numbers a training step drops by: the seed and the step. Absent outside training.
struct DropoutKey {
  let seed: UInt64
  let step: Int
}

/// Sets elements to zero at random and scales the others up, so that the mean stays (Srivastava et al. 2014).
///
/// Nothing is stored for the backward: the same numbers are drawn again. A number depends on seed, step, site, the sample's
/// place in the step and the element's place in the sample, not on the batch around it, so accumulated batches drop what the
/// one big batch would, and the last layer's rows drop the same whether the other rows are computed or not.
struct Dropout {
  /// Elements are dropped where their 16 random bits are below this.
  private let threshold: UInt16
  private let scale: Float
  /// Tells the places in the network apart.
  private let site: Int

  init(rate: Float, site: Int) {
    let threshold = min(65_535, max(0, (rate * 65_536).rounded()))
    self.threshold = UInt16(threshold)
    // Of the rate as it is in 16 bits, so that the mean stays exactly.
    scale = 65_536 / (65_536 - threshold)
    self.site = site
  }

  /// Drops in place, or into another matrix. Forward and backward are the same operation: dx = mask · scale · dy.
  func apply(_ x: Matrix, into y: Matrix? = nil, _ layout: RowLayout, _ key: DropoutKey?, _ context: Context) {
    let key = isActive ? key : nil
    guard key != nil || y != nil else { return }
    let y = y ?? x
    context.pool.split(x.rows) { _, rows in
      guard let key else { return y.rows(rows).copy(from: x.rows(rows)) }
      for row in rows {
        apply(x[row], into: y[row], x.columns, sample: layout.sampleKeys[row], row: Int(layout.places[row]), key)
      }
    }
  }

  /// Drops in one row, in place or into another; `row` tells the rows of a sample apart.
  @inline(__always)
  func apply(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ n: Int, sample: UInt32, row: Int,
    _ key: DropoutKey
  ) {
    guard threshold > 0 else { return }
    let blocks = (n + 7) / 8
    let counter = SIMD4(
      UInt32(truncatingIfNeeded: row &* blocks), sample, UInt32(truncatingIfNeeded: key.step),
      RandomPurpose.dropout.rawValue &+ UInt32(truncatingIfNeeded: site))
    Elementwise.drop(x, into: y, n, seed: key.seed, counter: counter, threshold: threshold, factor: scale)
  }

  var isActive: Bool { threshold > 0 }
}
