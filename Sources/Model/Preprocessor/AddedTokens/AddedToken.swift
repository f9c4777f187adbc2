/// A token that was added to the vocabulary, or marked as special in it (an entry of tokenizer.json's `added_tokens`).
///
/// It is found in the text before the text is cut into words. Source: the tokenizers library's `AddedToken`.
public struct AddedToken: Sendable, Equatable {
  /// Its id.
  public var id: Int32
  /// How it is spelled.
  public var content: String
  /// Whether it is one of the tokens with a meaning of their own, which `decode` can leave out.
  public var isSpecial: Bool
  /// Found in the normalized text, in its own normalized spelling; else in the text as it stands.
  public var isNormalized: Bool
  /// Found only where no letter, digit or underscore is next to it.
  public var singleWord: Bool
  /// Takes white space before it along.
  public var leftStrip: Bool
  /// Takes white space behind it along.
  public var rightStrip: Bool

  /// A token from its parts.
  public init(
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
