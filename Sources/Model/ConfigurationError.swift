import Files

/// A size or rate that is invalid for a model.
public enum ConfigurationError: ModelError, Equatable {
  /// A size outside its range.
  case sizeOutOfRange(name: String, value: Int, least: Int, most: Int)
  /// A width that is not a multiple of the number of attention heads.
  case headsDoNotDivide(width: Int, heads: Int)
  /// A dropout rate outside 0 ..< 1.
  case rateOutOfRange(name: String, value: Float)
  /// Sizes that give more than 2³⁴ parameters.
  case tooManyParameters(Int)

  public var message: String {
    switch self {
    case .sizeOutOfRange(let name, let value, let least, let most):
      "\(name) is \(value), not a number from \(least) to \(most)"
    case .headsDoNotDivide(let width, let heads):
      "hiddenDim \(width) is not a multiple of numHeads \(heads)"
    case .rateOutOfRange(let name, let value): "\(name) is \(value), not a rate from 0 to below 1"
    case .tooManyParameters(let count): "a model of \(count) parameters is too large"
    }
  }
}

extension Configuration {
  /// Throws if these sizes and rates are invalid.
  public func validate() throws(ConfigurationError) {
    for (name, value, least, most) in [
      ("vocabularySize", vocabularySize, 1, Limit.vocabularySize), ("hiddenDim", hiddenDim, 1, Limit.hiddenDim),
      ("numLayers", numLayers, 0, Limit.numLayers), ("numHeads", numHeads, 1, Limit.numHeads),
      ("intermediateDim", intermediateDim, 1, Limit.intermediateDim),
      ("maxSequenceLength", maxSequenceLength, 1, Limit.maxSequenceLength),
    ] where value < least || value > most {
      throw .sizeOutOfRange(name: name, value: value, least: least, most: most)
    }
    guard hiddenDim.isMultiple(of: numHeads) else { throw .headsDoNotDivide(width: hiddenDim, heads: numHeads) }
    for (name, rate) in [("dropout", dropout), ("attentionDropout", attentionDropout)] where !(rate >= 0 && rate < 1) {
      throw .rateOutOfRange(name: name, value: rate)
    }
    guard parameterCount <= 1 << 34 else { throw .tooManyParameters(parameterCount) }
  }
}
