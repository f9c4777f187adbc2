/// The edit distance between names, for suggestions.
package enum EditDistance {
  /// The nearest name, which was probably meant; nil if none is near.
  package static func nearest(to name: String, among names: [String]) -> String? {
    let best = names.map { ($0, distance(Array(name.utf8), Array($0.utf8))) }.min { $0.1 < $1.1 }
    guard let best, best.1 <= max(2, best.0.utf8.count / 3) else { return nil }
    return best.0
  }

  /// The restricted Damerau–Levenshtein distance: the number of letters to insert, delete, replace, or swap with their
  /// neighbor (Damerau 1964; each letter takes part in at most one swap).
  package static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    if a.isEmpty || b.isEmpty || a.count > 256 { return max(a.count, b.count) }
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    var current = last
    for i in 1...a.count {
      current[0] = i
      for j in 1...b.count {
        let replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
        var fewest = min(replaced, last[j] + 1, current[j - 1] + 1)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          fewest = min(fewest, beforeLast[j - 2] + 1)
        }
        current[j] = fewest
      }
      (beforeLast, last, current) = (last, current, beforeLast)
    }
    return last[b.count]
  }
}
