/// Converts text to masked samples: tokenize, pack, mask. Equivalent to KerasHub's `DistilBertMaskedLMPreprocessor`,
/// with its arguments.
///
///     let preprocessor = try DistilBertMaskedLMPreprocessor(tokenizer: tokenizer, sequenceLength: 128)
///     let (x, y, sampleWeight) = try preprocessor(["The quick brown fox jumped.", "Call me Ishmael."])
///
/// The choice of masked tokens is a pure function of (seed, epoch, sample index).
public struct DistilBertMaskedLMPreprocessor: Sendable {
  /// Splits text into word pieces.
  public let tokenizer: WordPieceTokenizer
  /// Joins word pieces into one sequence.
  public private(set) var packer: MultiSegmentPacker
  /// Selects and replaces masked tokens.
  public let masker: MaskedLMMaskGenerator
  /// The special tokens that are recognized in text. KerasHub's default: none.
  public var specialTokensInText: WordPieceTokenizer.SpecialTokensInText

  /// The padded length of the output, including special tokens.
  public var sequenceLength: Int {
    get { packer.sequenceLength }
    set { packer.sequenceLength = newValue }
  }
  /// How segments share the room if they do not fit.
  public var truncate: MultiSegmentPacker.Truncation {
    get { packer.truncate }
    set { packer.truncate = newValue }
  }

  /// Creates a preprocessor with KerasHub's arguments and defaults; `masksUnknown` is KerasHub's fixed treatment of
  /// [UNK].
  public init(
    tokenizer: WordPieceTokenizer, sequenceLength: Int = 512, truncate: MultiSegmentPacker.Truncation = .roundRobin,
    maskSelectionRate: Double = 0.15, maskSelectionLength: Int = 96, maskTokenRate: Double = 0.8,
    randomTokenRate: Double = 0.1, masksUnknown: Bool = false, seed: UInt64 = 0
  ) throws(PreprocessorError) {
    let masking = MaskingOptions(
      selectionRate: maskSelectionRate, selectionLength: maskSelectionLength, maskTokenRate: maskTokenRate,
      randomTokenRate: randomTokenRate, masksUnknown: masksUnknown, seed: seed)
    try self.init(tokenizer: tokenizer, sequenceLength: sequenceLength, truncate: truncate, masking: masking)
  }

  /// Creates a preprocessor with all masking options. Throws if they are inconsistent, or the length has no room for
  /// [CLS] and [SEP].
  public init(
    tokenizer: WordPieceTokenizer, sequenceLength: Int = 512, truncate: MultiSegmentPacker.Truncation = .roundRobin,
    masking: MaskingOptions, specialTokensInText: WordPieceTokenizer.SpecialTokensInText = .none
  ) throws(PreprocessorError) {
    let special = tokenizer.specialTokens
    guard sequenceLength >= 2 else { throw .sequenceTooShort(length: sequenceLength, needed: 2) }
    self.tokenizer = tokenizer
    self.specialTokensInText = specialTokensInText
    packer = MultiSegmentPacker(
      sequenceLength: sequenceLength, startID: special.classification, endID: special.separator,
      paddingID: special.padding, truncate: truncate)
    masker = try MaskedLMMaskGenerator(
      vocabularySize: tokenizer.vocabulary.count, maskTokenID: special.mask,
      unselectableTokenIDs: tokenizer.specialTokenIDs.filter { $0 != special.unknown || !masking.masksUnknown },
      options: masking)
  }

  /// The selection and replacement of masked tokens.
  public var masking: MaskingOptions { masker.options }

  // MARK: Padded batches

  /// Returns the batch of texts, one segment each, in KerasHub's padded form: rows of `sequenceLength` tokens and of
  /// `maskSelectionLength` slots.
  /// - Parameters:
  ///   - epoch: the epoch, which changes the masks.
  ///   - firstIndex: the index of the first text in its corpus.
  public func callAsFunction(
    _ texts: [String], epoch: Int = 0, firstIndex: Int = 0
  ) throws(PreprocessorError) -> (MaskedLMFeatures, labels: [[Int]], sampleWeights: [[Float]]) {
    try self(segments: texts.map { [$0] }, epoch: epoch, firstIndex: firstIndex)
  }

  /// Returns the batch of samples of several segments each: [CLS] a [SEP] b [SEP].
  public func callAsFunction(
    segments: [[String]], epoch: Int = 0, firstIndex: Int = 0
  ) throws(PreprocessorError) -> (MaskedLMFeatures, labels: [[Int]], sampleWeights: [[Float]]) {
    var samples = [Sample]()
    samples.reserveCapacity(segments.count)
    for (offset, texts) in segments.enumerated() {
      samples.append(try sample(texts, epoch: epoch, index: firstIndex + offset))
    }
    let (features, labels, weights) = MaskedLMFeatures.padded(
      samples, sequenceLength: sequenceLength, slots: masking.selectionLength, paddingID: Int(packer.paddingID))
    return (features, labels, weights)
  }

  // MARK: Ragged samples

  /// Returns one sample without padding. A sample without a selectable token has no mask positions, which is valid.
  public func sample(_ segments: [String], epoch: Int = 0, index: Int = 0) throws(PreprocessorError) -> Sample {
    guard !segments.isEmpty else { throw .noSegments(sample: index) }
    var tokens = [[Int32]]()
    var starts = [[Bool]]()
    for var text in segments {
      text.withUTF8 { bytes in
        var segment = TokenizedText()
        segment.encode(bytes, tokenizer, wordStarts: masking.wholeWords, specialTokensInText: specialTokensInText)
        tokens.append(segment.ids)
        starts.append(segment.wordStarts)
      }
    }
    let packed = try packer.pack(tokens)
    var wordStarts: [Bool]?
    if masking.wholeWords {
      // [CLS] and each [SEP] are separate words.
      var packedStarts = [true]
      for (count, segment) in zip(try packer.kept(of: tokens.map(\.count)), starts) {
        packedStarts.append(contentsOf: segment.prefix(count))
        packedStarts.append(true)
      }
      wordStarts = packedStarts
    }
    let sample = masker(packed, wordStarts: wordStarts, epoch: epoch, index: index)
    return specialTokensInText == .all ? withoutPadding(sample, packed) : sample
  }

  /// Removes [PAD] tokens that the text contains, because KerasHub treats them as padding (its padding mask is `packed
  /// ids != pad id`). The other tokens keep their positions.
  private func withoutPadding(_ sample: Sample, _ packed: [Int32]) -> Sample {
    guard packed.contains(packer.paddingID) else { return sample }
    let kept = packed.indices.filter { packed[$0] != packer.paddingID }
    var newIndices = [Int: Int32]()
    for (index, position) in kept.enumerated() { newIndices[position] = Int32(truncatingIfNeeded: index) }
    return Sample(
      tokenIDs: kept.map { sample.tokenIDs[$0] }, positionIDs: kept.map { Int32(truncatingIfNeeded: $0) },
      maskPositions: sample.maskPositions.compactMap { newIndices[Int($0)] }, labels: sample.labels,
      weights: sample.weights, slots: sample.slots)
  }
}

/// The tokens of a text, and the beginnings of its words.
struct TokenizedText {
  var ids: [Int32] = []
  /// For each token, whether a gap in the text precedes it. Filled only on request.
  var wordStarts: [Bool] = []

  mutating func encode(
    _ text: UnsafeBufferPointer<UInt8>, _ tokenizer: WordPieceTokenizer, wordStarts wantsStarts: Bool,
    specialTokensInText: WordPieceTokenizer.SpecialTokensInText = .none
  ) {
    ids.removeAll(keepingCapacity: true)
    wordStarts.removeAll(keepingCapacity: true)
    if wantsStarts {
      tokenizer.encode(text, specialTokensInText: specialTokensInText, into: &ids, wordStarts: &wordStarts)
    } else {
      tokenizer.encode(text, specialTokensInText: specialTokensInText, into: &ids)
    }
  }
}
