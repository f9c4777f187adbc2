@testable import Model

extension ResolvedPreset {
  /// The directory of the weights, if any.
  var weightsDirectory: String? {
    if case .directory(let path) = weights { path } else { nil }
  }

  var tokenizerDirectory: String? {
    if case .directory(let path) = tokenizer { path } else { nil }
  }
}
