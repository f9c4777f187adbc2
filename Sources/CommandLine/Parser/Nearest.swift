/// Finds the name that was meant.
package enum Nearest {
  /// The candidate that `typed` is most likely a slip of; nil where none is close.
  ///
  /// A beginning of a name counts as that name (the first such, if there are several); otherwise the one with the fewest
  /// slips, at most one in three letters.
  package static func name(to typed: String, in candidates: [String]) -> String? {
    let letters = Array(typed.utf8)
    guard !letters.isEmpty, letters.count <= 64 else { return nil }
    if letters.count >= 3, let beginning = candidates.first(where: { $0.utf8.starts(with: letters) }) {
      return beginning
    }
    var best: (name: String, distance: Int)?
    for candidate in candidates {
      let other = Array(candidate.utf8)
      let distance = distance(letters, other)
      let limit = max(1, (max(letters.count, other.count) + 1) / 3)
      if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name
  }

  /// Damerau–Levenshtein distance in its restricted form: the letters to insert, delete, replace, or swap with their
  /// neighbour (Damerau 1964; each letter takes part in one swap at most).
  package static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
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
