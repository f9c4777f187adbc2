import Tensor

/// The seed and the step that determine the random numbers of dropout. Absent outside training.
struct DropoutKey {
  let seed: UInt64
  let step: Int
}

/// Sets elements to zero at random and scales up the others, which preserves the mean (Srivastava et al. 2014).
///
/// Nothing is stored for the backward: it draws the same numbers again. A number depends on seed, step, site, the
/// sample's index in the step and the element's index in the sample, not on the batch. So accumulated batches drop the
/// same elements as one big batch, and the last layer drops the same elements whether or not the other rows are
/// computed.
struct Dropout {
  /// An element is dropped if its 16 random bits are below this.
  private let threshold: UInt16
  private let scale: Float
  /// The dropout's index in the network.
  private let site: Int

  init(rate: Float, site: Int) {
    let threshold = min(65_535, max(0, (rate * 65_536).rounded()))
    self.threshold = UInt16(threshold)
    // From the rate rounded to 16 bits, which preserves the mean exactly.
    scale = 65_536 / (65_536 - threshold)
    self.site = site
  }

  /// Drops elements in place, or into another matrix. Forward and backward are the same operation: dx = mask · scale ·
  /// dy.
  func apply(_ x: Matrix, into y: Matrix? = nil, _ layout: RowLayout, _ key: DropoutKey?, _ context: Context) {
    let key = isActive ? key : nil
    guard key != nil || y != nil else { return }
    let y = y ?? x
    context.pool.split(x.rows) { _, rows in
      guard let key else { return y.rows(rows).copy(from: x.rows(rows)) }
      for row in rows {
        apply(x[row], into: y[row], x.columns, sample: layout.sampleKeys[row], row: Int(layout.tokenIndices[row]), key)
      }
    }
  }

  /// Drops elements of one row, in place or into another row; `row` is the row's index in the sample.
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
