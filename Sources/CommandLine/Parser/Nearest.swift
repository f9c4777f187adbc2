import Text

/// Finds the name that was meant.
package enum Nearest {
  /// The candidate that `typed` is most likely a slip of; nil where none is close.
  ///
  /// A beginning of a name counts as that name (the first such, if there are several); otherwise the one with the
  /// fewest slips, at most one in three letters.
  package static func name(to typed: String, in candidates: [String]) -> String? {
    let letters = Array(typed.utf8)
    guard !letters.isEmpty, letters.count <= 64 else { return nil }
    if letters.count >= 3, let beginning = candidates.first(where: { $0.utf8.starts(with: letters) }) {
      return beginning
    }
    var best: (name: String, distance: Int)?
    for candidate in candidates {
      let other = Array(candidate.utf8)
      let distance = EditDistance.distance(letters, other)
      let limit = max(1, (max(letters.count, other.count) + 1) / 3)
      if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name
  }
}
