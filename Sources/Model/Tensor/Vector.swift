/// Eight floats: what the element-wise loops work on.
///
/// Written with explicit lanes because Swift keeps the order of float additions and so never vectorises a sum by itself.
typealias Floats = SIMD8<Float>

extension UnsafePointer where Pointee == Float {
  @inline(__always)
  func vector(_ offset: Int) -> Floats {
    UnsafeRawPointer(self + offset).loadUnaligned(as: Floats.self)
  }
}

extension UnsafeMutablePointer where Pointee == Float {
  @inline(__always)
  func vector(_ offset: Int) -> Floats {
    UnsafeRawPointer(self + offset).loadUnaligned(as: Floats.self)
  }

  @inline(__always)
  func setVector(_ offset: Int, _ value: Floats) {
    UnsafeMutableRawPointer(self + offset).storeBytes(of: value, as: Floats.self)
  }
}

extension SIMD8 where Scalar == Float {
  /// The sum of the lanes, in a fixed order.
  @inline(__always)
  var total: Float {
    let half = lowHalf + highHalf
    let quarter = half.lowHalf + half.highHalf
    return quarter[0] + quarter[1]
  }

  @inline(__always)
  var largest: Float {
    let half = pointwiseMax(lowHalf, highHalf)
    let quarter = pointwiseMax(half.lowHalf, half.highHalf)
    return Swift.max(quarter[0], quarter[1])
  }
}

/// Calls `vector` for each full group of eight of 0 ..< count and `scalar` for each that is left.
@inline(__always)
func forEachEight(_ count: Int, vector: (Int) -> Void, scalar: (Int) -> Void) {
  var index = 0
  while index + 8 <= count {
    vector(index)
    index += 8
  }
  while index < count {
    scalar(index)
    index += 1
  }
}
