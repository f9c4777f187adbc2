import Glibc

/// How likely a model finds a text that it sees but for one token at a time (Salazar et al. 2020, "Masked Language Model
/// Scoring").
///
///     PLL = Σ log p(token | the sample with that token masked)        perplexity = exp(−PLL / tokens)
///
/// [CLS] and [SEP] are not scored. Higher than a left-to-right model's likelihood, and not comparable with it.
public struct PseudoLikelihood: Sendable, Equatable {
  /// What else is hidden while a token is scored.
  public enum Variant: String, Sendable, CaseIterable {
    /// Nothing (Salazar et al.). The rest of a long word gives its pieces away.
    case original
    /// The pieces of the same word to the right of it (Kauf & Ivanova 2023, "A Better Way to Do Masked Language Model
    /// Scoring").
    case withinWordLeftToRight = "within-word-l2r"
  }

  /// In nats.
  public var logLikelihood = 0.0
  /// The tokens scored.
  public var tokens = 0

  /// Per scored token; NaN where there is none.
  public var perplexity: Double { tokens > 0 ? exp(-logLikelihood / Double(tokens)) : .nan }

  static func += (sum: inout PseudoLikelihood, other: PseudoLikelihood) {
    sum.logLikelihood += other.logLikelihood
    sum.tokens += other.tokens
  }
}

/// Makes of one sample the samples that score it: a copy for each of its tokens, that token masked.
struct TokenMasking {
  let maskTokenID: Int32
  /// Tokens that are not scored, the mask token among them.
  let specialTokenIDs: [Int32]
  let variant: PseudoLikelihood.Variant
  /// Whether a token goes on with the word of the token before it.
  let continuesWord: @Sendable (Int32) -> Bool

  init(_ preprocessor: DistilBertMaskedLMPreprocessor, _ variant: PseudoLikelihood.Variant) {
    let (vocabulary, masker) = (preprocessor.tokenizer.vocabulary, preprocessor.masker)
    // Every token of the text is scored, [UNK] too.
    let unknown = preprocessor.tokenizer.specialTokens.unknown
    self.init(
      maskTokenID: masker.maskTokenID, specialTokenIDs: masker.unselectableTokenIDs.filter { $0 != unknown },
      variant: variant, continuesWord: { vocabulary.isContinuation(Int($0)) })
  }

  init(
    maskTokenID: Int32, specialTokenIDs: [Int32], variant: PseudoLikelihood.Variant,
    continuesWord: @escaping @Sendable (Int32) -> Bool
  ) {
    self.maskTokenID = maskTokenID
    self.specialTokenIDs = specialTokenIDs
    self.variant = variant
    self.continuesWord = continuesWord
  }

  /// The places whose tokens are scored, ascending. Masks are undone first: where the sample has labels, they are its tokens.
  func places(of sample: Sample) -> (tokenIDs: [Int32], places: [Int]) {
    var tokenIDs = sample.tokenIDs
    for (position, label) in zip(sample.maskPositions, sample.labels) { tokenIDs[Int(position)] = label }
    return (tokenIDs, tokenIDs.indices.filter { !specialTokenIDs.contains(tokenIDs[$0]) })
  }

  /// One sample for each token that is scored, in their order, each with that token as its one target.
  func callAsFunction(_ sample: Sample) -> [Sample] {
    let (tokenIDs, places) = places(of: sample)
    return places.map { place in
      var masked = tokenIDs
      masked[place] = maskTokenID
      if variant == .withinWordLeftToRight {
        // Where padding was dropped between them, they are no word.
        let positions = sample.positionIDs
        for next in tokenIDs.indices[(place + 1)...] {
          guard continuesWord(tokenIDs[next]), positions[next] == positions[next - 1] + 1 else { break }
          masked[next] = maskTokenID
        }
      }
      return Sample(
        tokenIDs: masked, positionIDs: sample.positionIDs, maskPositions: [Int32(truncatingIfNeeded: place)],
        labels: [tokenIDs[place]])
    }
  }
}
