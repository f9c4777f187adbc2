/// A token added to the vocabulary, or marked as special in it (an entry of tokenizer.json's `added_tokens`).
///
/// Added tokens are found before the text is split into words. Source: the tokenizers library's `AddedToken`.
package struct AddedToken: Sendable, Equatable {
  /// Its id.
  package var id: Int32
  /// Its spelling.
  package var content: String
  /// Whether it is a special token, which `decode` can skip.
  package var isSpecial: Bool
  /// Whether it is matched in normalized form in the normalized text, instead of literally in the original text.
  package var isNormalized: Bool
  /// Whether it matches only if no letter, digit or underscore is next to it.
  package var singleWord: Bool
  /// Whether it includes preceding white space.
  package var leftStrip: Bool
  /// Whether it includes following white space.
  package var rightStrip: Bool

  /// Creates a token from its parts.
  package init(
    id: Int32, content: String, isSpecial: Bool, isNormalized: Bool = false, singleWord: Bool = false,
    leftStrip: Bool = false, rightStrip: Bool = false
  ) {
    self.id = id
    self.content = content
    self.isSpecial = isSpecial
    self.isNormalized = isNormalized
    self.singleWord = singleWord
    self.leftStrip = leftStrip
    self.rightStrip = rightStrip
  }
}
