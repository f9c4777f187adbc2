import CPresets
import Files

/// A preset that is part of the program: vocabulary and weights, read where they lie and not before they are used.
package struct EmbeddedPreset: Sendable {
  /// What its entry in presets.json calls it.
  package let name: String
  /// One word piece a line (vocab.txt).
  package let vocabulary: FileMapping
  /// A safetensors file.
  package let weights: FileMapping

  /// Nil for a name that the program has no files of.
  package init?(name: String) {
    guard name == "distil_bert_tiny_en_uncased" else { return nil }
    func part(_ file: String, _ part: mlm_file) -> FileMapping {
      FileMapping(constant: UnsafeRawBufferPointer(start: part.bytes, count: part.count), name: "\(name)/\(file)")
    }
    self.name = name
    vocabulary = part("vocab.txt", mlm_tiny_vocabulary)
    weights = part("model.safetensors", mlm_tiny_weights)
  }

  /// What it is made of, by the names of a model directory.
  package var files: [(name: String, content: FileMapping)] {
    [("model.safetensors", weights), ("vocab.txt", vocabulary)]
  }
}
