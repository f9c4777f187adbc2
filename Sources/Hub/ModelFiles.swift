import Files
import Text

/// The files of a model in a repository of the hub or a directory, in Hugging Face's or KerasHub's layout.
package enum ModelFiles {
  package static let configuration = "config.json"
  package static let weights = "model.safetensors"
  /// The list of shards, if the weights are split into several files.
  package static let index = "model.safetensors.index.json"
  package static let kerasWeights = "model.weights.h5"
  package static let kerasIndex = "model.weights.json"
  package static let kerasTask = "task.weights.h5"
  /// One word piece per line, like vocab.txt.
  package static let kerasVocabulary = "assets/tokenizer/vocabulary.txt"

  /// Whether a config.json is KerasHub's rather than Hugging Face's.
  package static func isKerasHub(_ configuration: JSONValue) -> Bool {
    configuration["registered_name"] != nil && configuration["model_type"]?.isNull != false
  }

  /// Whether a directory has the configuration of a KerasHub preset.
  package static func isKerasHub(directory: String) -> Bool {
    readConfiguration(in: directory).map(isKerasHub) ?? false
  }

  /// The config.json of a directory; nil if it is missing or invalid JSON.
  package static func readConfiguration(in directory: String) -> JSONValue? {
    let file = Path.join(directory, configuration)
    guard Path.isFile(file), let bytes = try? FileMapping.contents(of: file) else { return nil }
    return try? JSONValue.parse(bytes)
  }

  /// Whether a name in an index is a plain file name, so that the file is next to the index.
  package static func isName(ofShard name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
  }
}
