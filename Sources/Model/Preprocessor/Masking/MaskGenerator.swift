import Tensor

/// Options for the selection and replacement of masked tokens. The defaults are those of KerasHub's
/// `DistilBertMaskedLMPreprocessor`, except that [UNK] is not selected.
public struct MaskingOptions: Sendable, Equatable {
  /// How tokens are selected.
  public enum Sampling: String, Sendable, CaseIterable {
    /// Exactly min(⌈rate · n⌉, length) of the n selectable tokens, uniformly without replacement (KerasHub's `fit`).
    case exact
    /// Each selectable token independently, with probability `rate` (transformers).
    case bernoulli
  }

  /// The share of the selectable tokens that is selected.
  public var selectionRate: Double
  /// The maximum number of tokens selected in one sample.
  public var selectionLength: Int
  /// The share of the selected tokens that become [MASK].
  public var maskTokenRate: Double
  /// The share of the selected tokens that become a random token. The rest stay unchanged, but are predicted too.
  public var randomTokenRate: Double
  /// How tokens are selected.
  public var sampling: Sampling
  /// Whether to select whole words instead of word pieces.
  public var wholeWords: Bool
  /// Whether [UNK] may be selected, as in KerasHub. If not, the model does not learn [UNK] as an answer, as in
  /// transformers.
  public var masksUnknown: Bool
  /// The seed of all random choices.
  public var seed: UInt64

  /// Creates options with KerasHub's defaults, except for `masksUnknown`.
  public init(
    selectionRate: Double = 0.15, selectionLength: Int = 96, maskTokenRate: Double = 0.8,
    randomTokenRate: Double = 0.1, sampling: Sampling = .exact, wholeWords: Bool = false, masksUnknown: Bool = false,
    seed: UInt64 = 0
  ) {
    self.selectionRate = selectionRate
    self.selectionLength = selectionLength
    self.maskTokenRate = maskTokenRate
    self.randomTokenRate = randomTokenRate
    self.sampling = sampling
    self.wholeWords = wholeWords
    self.masksUnknown = masksUnknown
    self.seed = seed
  }

  /// Throws if a rate is out of range, or if the rates together exceed 1.
  public func validate() throws(PreprocessorError) {
    for (name, rate) in [
      ("mask selection rate", selectionRate), ("mask token rate", maskTokenRate),
      ("random token rate", randomTokenRate),
    ] where !(0...1).contains(rate) {
      throw .rateOutOfRange(name: name, value: rate)
    }
    // Sums such as 0.7 + 0.3 may exceed 1 by a rounding error.
    guard maskTokenRate + randomTokenRate <= 1 + 1e-9 else {
      throw .replacementRatesTooLarge(maskTokenRate: maskTokenRate, randomTokenRate: randomTokenRate)
    }
    guard selectionLength > 0 else { throw .selectionLengthNotPositive(selectionLength) }
  }
}

/// Selects tokens of a packed sequence for prediction, and masks them (Devlin et al. 2019, "BERT", 3.1).
///
/// Among the selected tokens, a share of `maskTokenRate` become [MASK], a share of `randomTokenRate` become a token
/// drawn uniformly from the whole vocabulary (including special tokens and the original one), and the rest stay
/// unchanged. Unselectable ids are never selected: the preprocessor uses [CLS] [SEP] [PAD] [MASK] and, without
/// `masksUnknown`, [UNK]. Equivalent to KerasHub's `MaskedLMMaskGenerator`.
///
/// With `wholeWords`, a word is a run of tokens with no gap between them in the text (`don't` and `fox-like` are one
/// word each, as in transformers), and the *rate is a rate of words*: exact sampling selects ⌈rate · words⌉ words,
/// Bernoulli sampling selects each word with probability `rate`. The *limit is in tokens*: words are taken in random
/// order, and a word whose tokens would exceed `selectionLength` is skipped. All tokens of a selected word are
/// predicted. Replacements are drawn per token with the usual rates (as in BERT's whole-word models; transformers'
/// collator corresponds to `maskTokenRate` 1 and `randomTokenRate` 0).
///
/// Every random choice is a pure function of (seed, epoch, sample index).
public struct MaskedLMMaskGenerator: Sendable {
  /// The exclusive upper bound of random replacement ids.
  public let vocabularySize: Int
  /// The id of [MASK].
  public let maskTokenID: Int32
  /// Ids that are never selected.
  public let unselectableTokenIDs: [Int32]
  /// The selection and replacement of masked tokens.
  public let options: MaskingOptions

  /// Creates a generator with these ids. Throws if the options are inconsistent, or if the vocabulary is empty.
  public init(
    vocabularySize: Int, maskTokenID: Int32, unselectableTokenIDs: [Int32], options: MaskingOptions = MaskingOptions()
  ) throws(PreprocessorError) {
    try options.validate()
    guard vocabularySize > 0 else { throw .vocabularyEmpty }
    self.vocabularySize = vocabularySize
    self.maskTokenID = maskTokenID
    self.unselectableTokenIDs = unselectableTokenIDs
    self.options = options
  }

  /// Returns the masked sample, with `selectionLength` mask slots.
  /// - Parameters:
  ///   - tokenIDs: a packed sequence, special tokens included, padded or not.
  ///   - wordStarts: for each token, whether a word begins there. Used only with `wholeWords`; nil makes every token a
  ///     word.
  ///   - index: the sample's index in its corpus.
  public func callAsFunction(
    _ tokenIDs: [Int32], wordStarts: [Bool]? = nil, epoch: Int = 0, index: Int = 0
  ) -> Sample {
    var selectable = [Int32]()
    selectable.reserveCapacity(tokenIDs.count)
    for (position, id) in tokenIDs.enumerated() where !unselectableTokenIDs.contains(id) {
      selectable.append(Int32(truncatingIfNeeded: position))
    }
    var draws = RandomStream(seed: options.seed, purpose: .maskSelection, epoch: epoch, sample: index)
    let positions =
      options.wholeWords
      ? selectWords(words(of: selectable, wordStarts: wordStarts), using: &draws)
      : selectTokens(selectable, using: &draws)

    var masked = tokenIDs
    var labels = [Int32]()
    labels.reserveCapacity(positions.count)
    draws = RandomStream(seed: options.seed, purpose: .maskReplacement, epoch: epoch, sample: index)
    for position in positions {
      let position = Int(position)
      labels.append(tokenIDs[position])
      let draw = Double(draws.uniform())
      if draw < options.maskTokenRate {
        masked[position] = maskTokenID
      } else if draw < options.maskTokenRate + options.randomTokenRate {
        masked[position] = Int32(truncatingIfNeeded: draws.below(vocabularySize))
      }
    }
    return Sample(tokenIDs: masked, maskPositions: positions, labels: labels, slots: options.selectionLength)
  }

  /// Returns ⌈rate · n⌉, computed in 32 bits like the reference: 100 tokens at 0.15 give 16, because Float(0.15) · 100
  /// is above 15.
  static func exactCount(rate: Double, of count: Int) -> Int {
    min(Int((Float(rate) * Float(count)).rounded(.up)), count)
  }

  private func selectTokens(_ selectable: [Int32], using draws: inout RandomStream) -> [Int32] {
    switch options.sampling {
    case .exact:
      let count = Self.exactCount(rate: options.selectionRate, of: selectable.count)
      return choose(min(count, options.selectionLength), of: selectable, using: &draws)
    case .bernoulli:
      let selected = selectable.filter { _ in Double(draws.uniform()) < options.selectionRate }
      return choose(min(selected.count, options.selectionLength), of: selected, using: &draws)
    }
  }

  /// Returns `count` of the positions, in order, with every subset equally likely (selection sampling; Knuth, TAOCP
  /// 3.4.2, S).
  private func choose(_ count: Int, of positions: [Int32], using draws: inout RandomStream) -> [Int32] {
    if count >= positions.count { return positions }
    var needed = count
    var chosen = [Int32]()
    chosen.reserveCapacity(count)
    for (index, position) in positions.enumerated() {
      if needed == 0 { break }
      if draws.below(positions.count - index) < needed {
        chosen.append(position)
        needed -= 1
      }
    }
    return chosen
  }

  /// Groups the selectable positions into words: slices of neighbors, each beginning at a word start.
  private func words(of selectable: [Int32], wordStarts: [Bool]?) -> [ArraySlice<Int32>] {
    guard let wordStarts else { return selectable.indices.map { selectable[$0...$0] } }
    var words = [ArraySlice<Int32>]()
    var begin = 0
    for index in selectable.indices where index > 0 {
      let position = Int(selectable[index])
      let isStart = position >= wordStarts.count || wordStarts[position]
      if isStart || selectable[index] != selectable[index - 1] + 1 {
        words.append(selectable[begin..<index])
        begin = index
      }
    }
    if begin < selectable.count { words.append(selectable[begin...]) }
    return words
  }

  private func selectWords(_ words: [ArraySlice<Int32>], using draws: inout RandomStream) -> [Int32] {
    var order = words
    var count = Self.exactCount(rate: options.selectionRate, of: words.count)
    if options.sampling == .bernoulli {
      order.removeAll { _ in Double(draws.uniform()) >= options.selectionRate }
      count = order.count
    }
    var selected = [Int32]()
    // A partial Fisher–Yates shuffle.
    for index in order.indices {
      if count == 0 { break }
      order.swapAt(index, index + draws.below(order.count - index))
      if selected.count + order[index].count > options.selectionLength { continue }
      selected.append(contentsOf: order[index])
      count -= 1
    }
    return selected.sorted()
  }
}
