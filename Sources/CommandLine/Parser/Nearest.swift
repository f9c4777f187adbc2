import Text

/// Finds the name that a mistyped one probably meant.
package enum Nearest {
  /// Returns the candidate most similar to `typed`; nil if none is close.
  ///
  /// A prefix of at least three letters matches the first name that begins with it. Otherwise the candidate with the
  /// smallest edit distance matches, with at most one edit per three letters.
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
