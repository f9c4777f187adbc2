import Text

/// How a tokenizer.json normalizes text and cuts it into words, where that is not what BERT does: a list of steps each.
///
/// Source: `normalizers` and `pre_tokenizers` of the tokenizers library.
package struct TextSteps: Sendable, Equatable {
  /// A step that changes the text.
  enum Normalizer: Sendable, Equatable {
    case bert(TextNormalizer)
    case nfd, nfc, lowercase, stripAccents
    case strip(left: Bool, right: Bool)
    /// Each occurrence of a string, which is not empty.
    case replace(String, with: String)
  }

  /// A step that cuts the text.
  enum PreTokenizer: Sendable, Equatable {
    case bert, whitespace, whitespaceSplit
    case punctuation(Behavior)
    case digits(individually: Bool)
  }

  /// What becomes of that at which text is cut (`SplitDelimiterBehavior`).
  enum Behavior: String, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"
  }

  var normalizers: [Normalizer]
  var preTokenizers: [PreTokenizer]
  /// As they stand in the file, for writing them back.
  var json: (normalizer: JSONValue, preTokenizer: JSONValue) = (.null, .null)

  package static func == (a: TextSteps, b: TextSteps) -> Bool {
    a.normalizers == b.normalizers && a.preTokenizers == b.preTokenizers
  }
}

extension TextSteps {
  /// Whether ASCII white space always stands between words, so that what is on both sides of it can be read by itself.
  var separatesAtBlanks: Bool {
    func hasBlank(_ text: String) -> Bool { text.unicodeScalars.contains { UnicodeClasses.isWhiteSpace($0.value) } }
    return preTokenizers.contains { $0 == .bert || $0 == .whitespace || $0 == .whitespaceSplit }
      && !normalizers.contains { if case .replace(let pattern, _) = $0 { hasBlank(pattern) } else { false } }
  }
}

extension TextSteps.PreTokenizer {
  /// Cuts parts of a text into smaller ones.
  func cut(_ parts: [Range<Int>], of text: NormalizedText) -> [Range<Int>] {
    switch self {
    case .bert:
      let words = Self.whitespaceSplit.cut(parts, of: text)
      return Self.punctuation(.isolated).cut(words, of: text)
    case .whitespaceSplit:
      return parts.flatMap { Self.split($0, of: text, .removed, at: UnicodeClasses.isWhiteSpace) }
    case .whitespace:
      let classes = UnicodeClasses.shared
      return parts.flatMap { part in
        Self.groups(of: part, in: text) { scalar in
          classes.isWord(scalar) ? 1 : UnicodeClasses.isWhiteSpace(scalar) ? nil : 2
        }
      }
    case .punctuation(let behavior):
      let tables = UnicodeTables.shared
      return parts.flatMap { part in
        Self.split(part, of: text, behavior) {
          tables.entry($0).pointee.flags & UnicodeTables.Flags.punctuation != 0
        }
      }
    case .digits(let individually):
      let classes = UnicodeClasses.shared
      return parts.flatMap { part in
        Self.split(part, of: text, individually ? .isolated : .contiguous) { classes.isNumber($0) }
      }
    }
  }

  /// Runs of scalars of one kind; those without a kind are left out.
  private static func groups(
    of part: Range<Int>, in text: NormalizedText, _ kind: (UInt32) -> Int?
  ) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    var last: Int?
    text.forEachScalar(in: part) { scalar, place in
      let kind = kind(scalar)
      if let kind {
        if kind == last, let group = groups.last {
          groups[groups.count - 1] = group.lowerBound..<place.upperBound
        } else {
          groups.append(place)
        }
      }
      last = kind
    }
    return groups
  }

  /// Cuts at single scalars.
  private static func split(
    _ part: Range<Int>, of text: NormalizedText, _ behavior: TextSteps.Behavior, at isDelimiter: (UInt32) -> Bool
  ) -> [Range<Int>] {
    // What is between delimiters, and each delimiter by itself.
    var pieces: [(range: Range<Int>, isDelimiter: Bool)] = []
    text.forEachScalar(in: part) { scalar, place in
      if isDelimiter(scalar) {
        pieces.append((place, true))
      } else if let last = pieces.last, !last.isDelimiter {
        pieces[pieces.count - 1].range = last.range.lowerBound..<place.upperBound
      } else {
        pieces.append((place, false))
      }
    }
    var result: [Range<Int>] = []
    var previous = false
    func join(_ range: Range<Int>) {
      guard let last = result.last else { return result.append(range) }
      result[result.count - 1] =
        min(last.lowerBound, range.lowerBound)..<max(last.upperBound, range.upperBound)
    }
    switch behavior {
    case .removed: return pieces.filter { !$0.isDelimiter }.map(\.range)
    case .isolated: return pieces.map(\.range)
    case .contiguous:
      for piece in pieces {
        if piece.isDelimiter == previous { join(piece.range) } else { result.append(piece.range) }
        previous = piece.isDelimiter
      }
      return result
    case .mergedWithPrevious:
      for piece in pieces {
        if piece.isDelimiter, !previous { join(piece.range) } else { result.append(piece.range) }
        previous = piece.isDelimiter
      }
      return result
    case .mergedWithNext:
      for piece in pieces.reversed() {
        if piece.isDelimiter, !previous { join(piece.range) } else { result.append(piece.range) }
        previous = piece.isDelimiter
      }
      return result.reversed()
    }
  }
}
