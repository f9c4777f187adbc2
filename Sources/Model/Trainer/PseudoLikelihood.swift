import Glibc

/// The pseudo-log-likelihood of a text: each token is scored with only itself masked (Salazar et al. 2020, "Masked
/// Language Model Scoring").
///
///     PLL = Σ log p(token | the sample with that token masked)        perplexity = exp(−PLL / tokens)
///
/// [CLS] and [SEP] are not scored. The value is higher than a left-to-right model's likelihood, and not comparable with
/// it.
public struct PseudoLikelihood: Sendable, Equatable {
  /// The other tokens that are masked while a token is scored.
  public enum Variant: String, Sendable, CaseIterable {
    /// None (Salazar et al.). The rest of a long word then gives its pieces away.
    case original
    /// The pieces of the same word to its right (Kauf & Ivanova 2023, "A Better Way to Do Masked Language Model
    /// Scoring").
    case withinWordLeftToRight = "within-word-l2r"
  }

  /// The pseudo-log-likelihood, in nats.
  public var logLikelihood = 0.0
  /// The number of scored tokens.
  public var tokens = 0

  /// The perplexity per scored token; NaN without scored tokens.
  public var perplexity: Double { tokens > 0 ? exp(-logLikelihood / Double(tokens)) : .nan }

  static func += (sum: inout PseudoLikelihood, other: PseudoLikelihood) {
    sum.logLikelihood += other.logLikelihood
    sum.tokens += other.tokens
  }
}

/// Turns a sample into the samples that score it: one copy per token, with that token masked.
struct TokenMasking {
  let maskTokenID: Int32
  /// The tokens that are not scored, including the mask token.
  let specialTokenIDs: [Int32]
  let variant: PseudoLikelihood.Variant
  /// Returns whether a token continues the word of the previous token.
  let continuesWord: @Sendable (Int32) -> Bool

  init(_ preprocessor: DistilBertMaskedLMPreprocessor, _ variant: PseudoLikelihood.Variant) {
    let (vocabulary, masker) = (preprocessor.tokenizer.vocabulary, preprocessor.masker)
    // Every token of the text is scored, including [UNK].
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

  /// Returns the indices of the tokens to score, ascending. Masked tokens are first replaced by their labels, if the
  /// sample has labels.
  func scoredTokens(of sample: Sample) -> (tokenIDs: [Int32], indices: [Int]) {
    var tokenIDs = sample.tokenIDs
    for (position, label) in zip(sample.maskPositions, sample.labels) { tokenIDs[Int(position)] = label }
    return (tokenIDs, tokenIDs.indices.filter { !specialTokenIDs.contains(tokenIDs[$0]) })
  }

  /// Returns one sample per scored token, in order, with that token as its only target.
  func callAsFunction(_ sample: Sample) -> [Sample] {
    let (tokenIDs, scored) = scoredTokens(of: sample)
    return scored.map { index in
      var masked = tokenIDs
      masked[index] = maskTokenID
      if variant == .withinWordLeftToRight {
        // Tokens with dropped padding between them are not one word.
        let positions = sample.positionIDs
        for next in tokenIDs.indices[(index + 1)...] {
          guard continuesWord(tokenIDs[next]), positions[next] == positions[next - 1] + 1 else { break }
          masked[next] = maskTokenID
        }
      }
      return Sample(
        tokenIDs: masked, positionIDs: sample.positionIDs, maskPositions: [Int32(truncatingIfNeeded: index)],
        labels: [tokenIDs[index]])
    }
  }
}
