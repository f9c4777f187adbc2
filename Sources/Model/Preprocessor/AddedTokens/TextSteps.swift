import Text

/// Lists of the steps by which a tokenizer.json normalizes and splits text, if they differ from BERT's.
///
/// Source: `normalizers` and `pre_tokenizers` of the tokenizers library.
package struct TextSteps: Sendable, Equatable {
  /// A step that changes text.
  enum Normalizer: Sendable, Equatable {
    case bert(TextNormalizer)
    case nfd, nfc, lowercase, stripAccents
    case strip(left: Bool, right: Bool)
    /// Replaces each occurrence of a nonempty string.
    case replace(String, with: String)
  }

  /// A step that splits text.
  enum PreTokenizer: Sendable, Equatable {
    case bert, whitespace, whitespaceSplit
    case punctuation(Behavior)
    case digits(individually: Bool)
  }

  /// The treatment of delimiters (`SplitDelimiterBehavior`).
  enum Behavior: String, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"
  }

  var normalizers: [Normalizer]
  var preTokenizers: [PreTokenizer]
  /// The original JSON of the steps, for writing them back.
  var json: (normalizer: JSONValue, preTokenizer: JSONValue) = (.null, .null)

  package static func == (a: TextSteps, b: TextSteps) -> Bool {
    a.normalizers == b.normalizers && a.preTokenizers == b.preTokenizers
  }
}

extension TextSteps {
  /// Whether words never span ASCII white space, so that the text on both sides can be read independently.
  var separatesAtBlanks: Bool {
    func hasBlank(_ text: String) -> Bool { text.unicodeScalars.contains { UnicodeClasses.isWhiteSpace($0.value) } }
    return preTokenizers.contains { $0 == .bert || $0 == .whitespace || $0 == .whitespaceSplit }
      && !normalizers.contains { if case .replace(let pattern, _) = $0 { hasBlank(pattern) } else { false } }
  }
}

extension TextSteps.PreTokenizer {
  /// Splits parts of a text into smaller ones.
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

  /// Returns runs of scalars of the same kind; scalars without a kind are dropped.
  private static func groups(
    of part: Range<Int>, in text: NormalizedText, _ kind: (UInt32) -> Int?
  ) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    var last: Int?
    text.forEachScalar(in: part) { scalar, range in
      let kind = kind(scalar)
      if let kind {
        if kind == last, let group = groups.last {
          groups[groups.count - 1] = group.lowerBound..<range.upperBound
        } else {
          groups.append(range)
        }
      }
      last = kind
    }
    return groups
  }

  /// Splits at single scalars.
  private static func split(
    _ part: Range<Int>, of text: NormalizedText, _ behavior: TextSteps.Behavior, at isDelimiter: (UInt32) -> Bool
  ) -> [Range<Int>] {
    // The parts between delimiters, and each delimiter by itself.
    var pieces: [(range: Range<Int>, isDelimiter: Bool)] = []
    text.forEachScalar(in: part) { scalar, range in
      if isDelimiter(scalar) {
        pieces.append((range, true))
      } else if let last = pieces.last, !last.isDelimiter {
        pieces[pieces.count - 1].range = last.range.lowerBound..<range.upperBound
      } else {
        pieces.append((range, false))
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
