import CPresets

/// A preset that is part of the program: vocabulary and weights, read where they lie and not before they are used.
public struct EmbeddedPreset: Sendable {
  /// What its entry in presets.json calls it.
  let name: String
  /// Its sizes and rates.
  public let configuration: Configuration
  /// One word piece a line (vocab.txt).
  let vocabulary: FileMapping
  /// A safetensors file.
  let weights: FileMapping

  /// Nil for a name that the program has no files of.
  init?(name: String, configuration: Configuration) {
    guard name == "distil_bert_tiny_en_uncased" else { return nil }
    func part(_ file: String, _ part: mlm_file) -> FileMapping {
      FileMapping(constant: UnsafeRawBufferPointer(start: part.bytes, count: part.count), name: "\(name)/\(file)")
    }
    self.name = name
    self.configuration = configuration
    vocabulary = part("vocab.txt", mlm_tiny_vocabulary)
    weights = part("model.safetensors", mlm_tiny_weights)
  }

  /// What it is made of, by the names of a model directory.
  var files: [(name: String, content: FileMapping)] { [("model.safetensors", weights), ("vocab.txt", vocabulary)] }

  func loadTokenizer(lowercase: Bool) throws -> WordPieceTokenizer {
    try WordPieceTokenizer(
      vocabulary: try Vocabulary(vocabTXT: vocabulary.text, file: vocabulary.path), options: .init(lowercase: lowercase)
    )
  }

  func loadWeights() throws -> ResolvedWeights {
    let file = try Safetensors(weights)
    return try WeightResolver.resolve(configuration, file.tensors, aliases: file.metadata, file: file.path)
  }
}
