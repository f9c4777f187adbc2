import CPresets
import Files

/// A preset that is part of the program: vocabulary and weights, read in place and on first use.
package struct EmbeddedPreset: Sendable {
  /// The name in presets.json.
  package let name: String
  /// One word piece per line (vocab.txt).
  package let vocabulary: FileMapping
  /// A safetensors file.
  package let weights: FileMapping

  /// The preset of a name; nil if the program has no files for it.
  package init?(name: String) {
    guard name == "distil_bert_tiny_en_uncased" else { return nil }
    func part(_ file: String, _ part: mlm_file) -> FileMapping {
      FileMapping(constant: UnsafeRawBufferPointer(start: part.bytes, count: part.count), name: "\(name)/\(file)")
    }
    self.name = name
    vocabulary = part("vocab.txt", mlm_tiny_vocabulary)
    weights = part("model.safetensors", mlm_tiny_weights)
  }

  /// The files, with their names in a model directory.
  package var files: [(name: String, content: FileMapping)] {
    [("model.safetensors", weights), ("vocab.txt", vocabulary)]
  }
}
