@testable import Model

extension ResolvedPreset {
  /// Where the weights are, if in a directory.
  var weightsDirectory: String? {
    if case .directory(let path) = weights { path } else { nil }
  }

  var tokenizerDirectory: String? {
    if case .directory(let path) = tokenizer { path } else { nil }
  }
}
