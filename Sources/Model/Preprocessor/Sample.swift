import Files

/// One sequence in the model's form: tokens without padding, the mask positions, and the labels.
public struct Sample: Sendable, Equatable {
  /// The ids, [CLS] and [SEP] included, after masking.
  public var tokenIDs: [Int32]
  /// The position of each token in the model's position table. Differs from 0, 1, 2 … only if padding was dropped from
  /// the middle or the front of a padded sample.
  public var positionIDs: [Int32]
  /// Ascending indices into `tokenIDs` of the positions to predict.
  public var maskPositions: [Int32]
  /// The original id at each mask position. Empty if unknown (in prediction).
  public var labels: [Int32]
  /// The weight of each mask position in loss and accuracy; never zero (slots of weight zero are dropped).
  public var weights: [Float]
  /// The number of mask slots in a padded batch, used or not: the divisor of Keras' loss.
  public var slots: Int

  /// Creates a sample; by default tokens are at positions 0, 1, 2 …, and all weights are 1.
  public init(
    tokenIDs: [Int32], positionIDs: [Int32]? = nil, maskPositions: [Int32] = [], labels: [Int32] = [],
    weights: [Float]? = nil, slots: Int? = nil
  ) {
    self.tokenIDs = tokenIDs
    self.positionIDs = positionIDs ?? Array(0..<Int32(tokenIDs.count))
    self.maskPositions = maskPositions
    self.labels = labels
    self.weights = weights ?? [Float](repeating: 1, count: maskPositions.count)
    self.slots = slots ?? maskPositions.count
  }
}

extension Sample {
  /// Throws if the sample would make a model access memory outside its tables.
  ///
  /// - Parameters:
  ///   - index: the sample's index, for the error.
  ///   - needsLabels: whether labels are required, as in training.
  func check(
    for configuration: Configuration, index: Int, needsLabels: Bool = false
  ) throws(PreprocessorError) {
    if let fault = fault(for: configuration, needsLabels: needsLabels) { throw .badSample(.index(index), fault) }
  }

  private func fault(for configuration: Configuration, needsLabels: Bool) -> SampleFault? {
    func length(_ name: String, _ count: Int, _ other: String, _ expected: Int) -> SampleFault? {
      count == expected ? nil : .lengthsDiffer(name: name, count: count, other: other, expected: expected)
    }
    func id(_ name: String, _ ids: [Int32]) -> SampleFault? {
      let size = configuration.vocabularySize
      guard let index = ids.firstIndex(where: { $0 < 0 || $0 >= size }) else { return nil }
      return .tokenOutsideVocabulary(name: name, index: index, id: Int(ids[index]), vocabularySize: size)
    }
    if tokenIDs.isEmpty { return .noTokens }
    if needsLabels, labels.count < maskPositions.count { return .missingLabels }
    let lengths =
      length("positionIDs", positionIDs.count, "tokenIDs", tokenIDs.count)
      ?? length("weights", weights.count, "maskPositions", maskPositions.count)
      ?? (labels.isEmpty ? nil : length("labels", labels.count, "maskPositions", maskPositions.count))
    if let fault = lengths ?? id("tokenIDs", tokenIDs) ?? id("labels", labels) { return fault }
    if let last = positionIDs.max(), last >= configuration.maxSequenceLength {
      return .tooLong(length: Int(last) + 1, maximum: configuration.maxSequenceLength)
    }
    if positionIDs.contains(where: { $0 < 0 }) { return .negativePositionID }
    if let slot = maskPositions.firstIndex(where: { $0 < 0 || $0 >= tokenIDs.count }) {
      return .positionOutside(slot: slot, position: Int(maskPositions[slot]), length: tokenIDs.count)
    }
    if let slot = weights.firstIndex(where: { !$0.isFinite || $0 < 0 }) {
      return .weightNotUsable(slot: slot, weight: weights[slot])
    }
    return nil
  }
}

/// A corpus whose samples are validated before a model computes them, because anyone can implement a source.
final class CheckedSource: SampleSource {
  private let base: any SampleSource
  private let configuration: Configuration

  init(_ base: any SampleSource, for configuration: Configuration) {
    self.base = base
    self.configuration = configuration
  }

  var count: Int { base.count }

  func sample(_ index: Int, epoch: Int) throws -> Sample {
    let sample = try base.sample(index, epoch: epoch)
    try sample.check(for: configuration, index: index, needsLabels: true)
    return sample
  }
}

/// A corpus split into samples, which can be read in any order and from several threads at once.
public protocol SampleSource: AnyObject, Sendable {
  /// The number of samples.
  var count: Int { get }
  /// Returns the sample at an index, masked for an epoch. The same arguments always give the same sample: the masks
  /// depend only on the seed, the epoch and the index.
  func sample(_ index: Int, epoch: Int) throws -> Sample
}

/// A corpus that knows the origin of its samples.
public protocol LocatedSource: SampleSource {
  /// Returns the file and line of a sample.
  func location(of index: Int) -> DataLocation
}
