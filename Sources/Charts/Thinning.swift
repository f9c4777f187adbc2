/// Reduces the points of a line, in the order of x, to as many as can be drawn.
package enum Thinning {
  package typealias Point = (x: Double, y: Double)

  /// The stretches of finite points, between which the line is broken. NaN and infinities are left out.
  package static func stretches(_ points: [Point]) -> [[Point]] {
    points.split { !$0.x.isFinite || !$0.y.isFinite }.map(Array.init)
  }

  /// At most `limit` points: the first, the last, and the lowest and the highest of each part of the line, so that no
  /// peak is lost.
  package static func thinned(_ points: [Point], limit: Int = 1000) -> [Point] {
    guard points.count > max(4, limit) else { return points }
    let inner = points.count - 2
    let parts = max(1, (limit - 2) / 2)
    var result = [points[0]]
    for part in 0..<parts {
      let range = 1 + inner * part / parts..<1 + inner * (part + 1) / parts
      guard let low = range.min(by: { points[$0].y < points[$1].y }),
        let high = range.max(by: { points[$0].y < points[$1].y })
      else { continue }
      result.append(points[min(low, high)])
      if low != high { result.append(points[max(low, high)]) }
    }
    result.append(points[points.count - 1])
    return result
  }
}
