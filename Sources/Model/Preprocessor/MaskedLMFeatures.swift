/// A batch of preprocessed samples in KerasHub's padded form. The rows may differ in length.
///
///     let features = MaskedLMFeatures(
///       tokenIDs: [[1, 2, 0, 4, 0, 6, 7, 8]], paddingMask: [[1, 1, 1, 1, 1, 1, 1, 1]], maskPositions: [[2, 4]])
public struct MaskedLMFeatures: Sendable, Equatable {
  /// [sample][token], [CLS], [SEP] and padding included, after masking.
  public var tokenIDs: [[Int]]
  /// [sample][token]: 1 for a token, 0 for padding. Empty means no padding.
  public var paddingMask: [[Int]]
  /// [sample][mask]: indices into the sample's `tokenIDs`, including padding.
  public var maskPositions: [[Int]]

  /// Creates unvalidated samples in padded form.
  public init(tokenIDs: [[Int]], paddingMask: [[Int]] = [], maskPositions: [[Int]]) {
    self.tokenIDs = tokenIDs
    self.paddingMask = paddingMask
    self.maskPositions = maskPositions
  }

  /// The number of samples.
  public var count: Int { tokenIDs.count }

  /// Returns the samples in the model's form: without padding and mask slots of weight 0, with the position ids of the
  /// remaining tokens, in the original order.
  ///
  /// Everything is validated before the method returns; an error contains the sample's index.
  /// - Parameters:
  ///   - labels: [sample][mask], the original ids; nil for prediction.
  ///   - sampleWeights: [sample][mask]; nil: all 1.
  ///   - vocabularySize: the exclusive upper bound of ids.
  ///   - maximumLength: the number of the model's positions.
  public func samples(
    labels: [[Int]]? = nil, sampleWeights: [[Float]]? = nil, vocabularySize: Int, maximumLength: Int
  ) throws(PreprocessorError) -> [Sample] {
    func check(_ what: String, _ rows: Int?) throws(PreprocessorError) {
      guard let rows, rows != count else { return }
      throw .samplesDiffer(what: what, found: rows, expected: count)
    }
    try check("padding masks", paddingMask.isEmpty ? nil : paddingMask.count)
    try check("rows of mask positions", maskPositions.count)
    try check("rows of labels", labels?.count)
    try check("rows of sample weights", sampleWeights?.count)

    let limits = SampleLimits(vocabularySize: vocabularySize, maximumLength: maximumLength)
    var samples = [Sample]()
    samples.reserveCapacity(count)
    for index in 0..<count {
      let row = PaddedSample(
        tokenIDs: tokenIDs[index], paddingMask: paddingMask.isEmpty ? nil : paddingMask[index],
        maskPositions: maskPositions[index], labels: labels?[index], weights: sampleWeights?[index])
      do {
        samples.append(try row.sample(within: limits))
      } catch {
        throw .badSample(.index(index), error)
      }
    }
    return samples
  }

  /// Returns samples in padded form, the inverse of `samples`: each token at its position id, and `paddingID`
  /// elsewhere.
  /// - Parameters:
  ///   - sequenceLength: the length to pad to; nil: that of the longest sample.
  ///   - slots: the number of mask slots to pad to, with position 0, label 0 and weight 0; nil: the maximum of all
  ///     samples.
  /// - Returns: the features, and [sample][slot] labels (0 where a sample has none) and weights.
  public static func padded(
    _ samples: [Sample], sequenceLength: Int? = nil, slots: Int? = nil, paddingID: Int = 0
  ) -> (features: MaskedLMFeatures, labels: [[Int]], sampleWeights: [[Float]]) {
    let length = max(sequenceLength ?? 0, samples.map { Int($0.positionIDs.max() ?? -1) + 1 }.max() ?? 0)
    let needed = samples.map { slots == nil ? max($0.slots, $0.maskPositions.count) : $0.maskPositions.count }
    let slots = max(slots ?? 0, needed.max() ?? 0)
    var features = MaskedLMFeatures(tokenIDs: [], paddingMask: [], maskPositions: [])
    var labels = [[Int]]()
    var weights = [[Float]]()
    for sample in samples {
      var tokens = [Int](repeating: paddingID, count: length)
      var mask = [Int](repeating: 0, count: length)
      for (id, position) in zip(sample.tokenIDs, sample.positionIDs) {
        tokens[Int(position)] = Int(id)
        mask[Int(position)] = 1
      }
      let empty = slots - sample.maskPositions.count
      features.tokenIDs.append(tokens)
      features.paddingMask.append(mask)
      features.maskPositions.append(
        sample.maskPositions.map { Int(sample.positionIDs[Int($0)]) } + [Int](repeating: 0, count: empty))
      labels.append(sample.labels.map { Int($0) } + [Int](repeating: 0, count: slots - sample.labels.count))
      weights.append(sample.weights + [Float](repeating: 0, count: empty))
    }
    return (features, labels, weights)
  }
}

/// Limits of the values in a preprocessed sample.
struct SampleLimits: Sendable, Equatable {
  var vocabularySize: Int
  var maximumLength: Int
}

/// One row of KerasHub's preprocessor output, not validated yet.
struct PaddedSample {
  var tokenIDs: [Int]
  var paddingMask: [Int]?
  var maskPositions: [Int]
  var labels: [Int]?
  var weights: [Float]?

  /// Returns the row without padding and without mask slots of weight 0, or throws its fault.
  func sample(within limits: SampleLimits) throws(SampleFault) -> Sample {
    let length = tokenIDs.count
    try requireLength("padding_mask", paddingMask?.count, "token_ids", length)
    try requireLength("labels", labels?.count, "mask_positions", maskPositions.count)
    try requireLength("sample_weight", weights?.count, "mask_positions", maskPositions.count)

    var sample = Sample(tokenIDs: [], positionIDs: [], slots: maskPositions.count)
    sample.tokenIDs.reserveCapacity(length)
    sample.positionIDs.reserveCapacity(length)
    // The new index of each token; -1 for padding.
    var newIndices = [Int32](repeating: -1, count: length)
    for index in 0..<length {
      let id = tokenIDs[index]
      try requireInVocabulary("token_ids", index, id, limits)
      if let paddingMask {
        switch paddingMask[index] {
        case 1: break
        case 0: continue
        case let value: throw .paddingMaskValue(index: index, value: value)
        }
      }
      newIndices[index] = Int32(truncatingIfNeeded: sample.tokenIDs.count)
      sample.tokenIDs.append(Int32(truncatingIfNeeded: id))
      sample.positionIDs.append(Int32(truncatingIfNeeded: index))
    }
    guard let last = sample.positionIDs.last else { throw .noTokens }
    // Padding may extend beyond the model's positions: nothing is computed there.
    guard last < limits.maximumLength else { throw .tooLong(length: length, maximum: limits.maximumLength) }

    for (slot, position) in maskPositions.enumerated() {
      let weight = weights?[slot] ?? 1
      guard position >= 0, position < length else {
        throw .positionOutside(slot: slot, position: position, length: length)
      }
      guard weight.isFinite, weight >= 0 else { throw .weightNotUsable(slot: slot, weight: weight) }
      // The label of an unused slot is ignored (some tools write -100).
      if weight == 0 { continue }
      guard newIndices[position] >= 0 else { throw .positionOnPadding(slot: slot, position: position) }
      if let labels {
        try requireInVocabulary("labels", slot, labels[slot], limits)
        sample.labels.append(Int32(truncatingIfNeeded: labels[slot]))
      }
      sample.maskPositions.append(newIndices[position])
      sample.weights.append(weight)
    }
    return sample
  }

  private func requireLength(
    _ name: String, _ count: Int?, _ other: String, _ expected: Int
  ) throws(SampleFault) {
    guard let count, count != expected else { return }
    throw .lengthsDiffer(name: name, count: count, other: other, expected: expected)
  }

  private func requireInVocabulary(
    _ name: String, _ index: Int, _ id: Int, _ limits: SampleLimits
  ) throws(SampleFault) {
    guard id < 0 || id >= limits.vocabularySize else { return }
    throw .tokenOutsideVocabulary(name: name, index: index, id: id, vocabularySize: limits.vocabularySize)
  }
}
