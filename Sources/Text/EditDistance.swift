/// How far one name is from another, for suggestions.
package enum EditDistance {
  /// The name that was probably meant, if any is near.
  package static func nearest(to name: String, among names: [String]) -> String? {
    let best = names.map { ($0, distance(Array(name.utf8), Array($0.utf8))) }.min { $0.1 < $1.1 }
    guard let best, best.1 <= max(2, best.0.utf8.count / 3) else { return nil }
    return best.0
  }

  /// Insertions, removals and replacements between two texts (Levenshtein).
  package static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    if a.count > 256 { return a.count }
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let replaced = diagonal + (x == y ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}
