import Tensor

/// How tokens are chosen for prediction, and what stands in their place. Defaults as in KerasHub's
/// `DistilBertMaskedLMPreprocessor`, but that [UNK] is not chosen.
public struct MaskingOptions: Sendable, Equatable {
  /// How tokens are chosen.
  public enum Sampling: String, Sendable, CaseIterable {
    /// Exactly min(⌈rate · n⌉, length) of the n selectable tokens, uniformly without replacement (KerasHub's `fit`).
    case exact
    /// Each selectable token by itself, with probability `rate` (transformers).
    case bernoulli
  }

  /// The share of the selectable tokens that is selected.
  public var selectionRate: Double
  /// The most tokens that are selected in one sample.
  public var selectionLength: Int
  /// The share of the selected tokens that become [MASK].
  public var maskTokenRate: Double
  /// The share of the selected tokens that become a random token. The rest stay as they are, and are still predicted.
  public var randomTokenRate: Double
  /// How tokens are chosen.
  public var sampling: Sampling
  /// Select words, not word pieces.
  public var wholeWords: Bool
  /// Whether [UNK] may be chosen, as KerasHub does. Without it no model learns [UNK] as an answer, as in transformers.
  public var masksUnknown: Bool
  /// Every choice comes from it.
  public var seed: UInt64

  /// KerasHub's defaults, but for `masksUnknown`.
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

  /// Throws where a rate is none, or the rates leave no room for each other.
  public func validate() throws(PreprocessorError) {
    for (name, rate) in [
      ("mask selection rate", selectionRate), ("mask token rate", maskTokenRate),
      ("random token rate", randomTokenRate),
    ] where !(0...1).contains(rate) {
      throw .rateOutOfRange(name: name, value: rate)
    }
    // 0.7 + 0.3 and its like may land a rounding error above 1.
    guard maskTokenRate + randomTokenRate <= 1 + 1e-9 else {
      throw .replacementRatesTooLarge(maskTokenRate: maskTokenRate, randomTokenRate: randomTokenRate)
    }
    guard selectionLength > 0 else { throw .selectionLengthNotPositive(selectionLength) }
  }
}

/// Chooses the tokens of a packed sequence that are to be predicted, and hides them (Devlin et al. 2019, "BERT", 3.1).
///
/// Of the selected tokens, `maskTokenRate` become [MASK], `randomTokenRate` become a token drawn uniformly from the
/// whole vocabulary (special tokens and the original one included), the rest stay. The unselectable ids are never selected: the
/// preprocessor's are [CLS] [SEP] [PAD] [MASK] and, without `masksUnknown`, [UNK]. As KerasHub's `MaskedLMMaskGenerator`.
///
/// With `wholeWords`, a word is a run of tokens with no gap in the text between them (`don't` and `fox-like` are one
/// word, as in transformers), and the *rate is a rate of words*: with exact sampling ⌈rate · words⌉ words are
/// selected, with Bernoulli sampling each word with probability `rate`. The *cap is in tokens*: words are taken in
/// random order, and a word whose tokens would exceed `selectionLength` is passed over. All tokens of a selected word
/// are predicted; what stands in their place is drawn for each token by the same rates as otherwise (as in BERT's own
/// whole-word models; transformers' collator corresponds to `maskTokenRate` 1 and `randomTokenRate` 0).
///
/// Every draw is a pure function of (seed, epoch, sample index).
public struct MaskedLMMaskGenerator: Sendable {
  /// Ids below it are drawn in the place of others.
  public let vocabularySize: Int
  /// [MASK].
  public let maskTokenID: Int32
  /// Ids that are never selected.
  public let unselectableTokenIDs: [Int32]
  /// How tokens are chosen, and what stands in their place.
  public let options: MaskingOptions

  /// A generator of these ids. Throws where the options do not fit each other, or there is no word piece.
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

  /// The masked sample; its mask slots are `selectionLength`.
  /// - Parameters:
  ///   - tokenIDs: a packed sequence, special tokens included, padded or not.
  ///   - wordStarts: for each token, whether a word begins there; used with `wholeWords` only, where without it every
  ///     token counts as a word.
  ///   - index: the sample's place in its corpus.
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

  /// ⌈rate · n⌉ in 32 bits, as the reference computes it: 100 tokens at 0.15 give 16, for Float(0.15) · 100 is above
  /// 15.
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

  /// So many of the positions, in order, every subset equally likely (selection sampling; Knuth, TAOCP 3.4.2, S).
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

  /// The selectable positions as words: slices of neighbours, each beginning where a word starts.
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
    // Fisher–Yates, as far as needed.
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
