/// A token that was added to the vocabulary, or marked as special in it (an entry of tokenizer.json's `added_tokens`).
///
/// It is found in the text before the text is cut into words. Source: the tokenizers library's `AddedToken`.
package struct AddedToken: Sendable, Equatable {
  /// Its id.
  package var id: Int32
  /// How it is spelled.
  package var content: String
  /// Whether it is one of the tokens with a meaning of their own, which `decode` can leave out.
  package var isSpecial: Bool
  /// Found in the normalized text, in its own normalized spelling; else in the text as it stands.
  package var isNormalized: Bool
  /// Found only where no letter, digit or underscore is next to it.
  package var singleWord: Bool
  /// Takes white space before it along.
  package var leftStrip: Bool
  /// Takes white space behind it along.
  package var rightStrip: Bool

  /// A token from its parts.
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
