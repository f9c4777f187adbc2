/// One sequence as the model takes it: tokens without padding, and what to predict where.
public struct Sample: Sendable, Equatable {
  /// The ids, [CLS] and [SEP] included, after masking.
  public var tokenIDs: [Int32]
  /// The position of each token in the model's position table. Differs from 0, 1, 2 … only where padded
  /// tokens were dropped from the middle or the front of a padded sample.
  public var positionIDs: [Int32]
  /// Indices into `tokenIDs`, ascending, whose original token is to be predicted.
  public var maskPositions: [Int32]
  /// The original id at each mask position. Empty where it is not known (in prediction).
  public var labels: [Int32]
  /// The weight of each mask position in loss and accuracy; never zero (slots of weight zero are left out).
  public var weights: [Float]
  /// The mask slots it would have in a padded batch, used or not: what Keras' loss is divided by.
  public var slots: Int

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

/// A corpus cut into samples that can be asked for in any order and from several threads at once.
public protocol SampleSource: AnyObject, Sendable {
  /// The number of samples.
  var count: Int { get }
  /// The sample of that index, masked for that epoch. The same arguments always give the same sample: the masks depend on
  /// the seed, the epoch and the index alone.
  func sample(_ index: Int, epoch: Int) throws -> Sample
}

/// A corpus that knows where its samples come from.
public protocol LocatedSource: SampleSource {
  /// The file and line of a sample.
  func location(of index: Int) -> DataLocation
}
