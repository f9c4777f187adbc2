import Files
import Text

/// The files of a model, in a repository of the hub or a directory, and whose layout they have.
package enum ModelFiles {
  package static let configuration = "config.json"
  package static let weights = "model.safetensors"
  /// Lists the shards of weights that are cut into several files.
  package static let index = "model.safetensors.index.json"
  package static let kerasWeights = "model.weights.h5"
  package static let kerasIndex = "model.weights.json"
  package static let kerasTask = "task.weights.h5"
  /// One word piece a line, like vocab.txt.
  package static let kerasVocabulary = "assets/tokenizer/vocabulary.txt"

  /// Whether a config.json is one of KerasHub's and not of Hugging Face's.
  package static func isKerasHub(_ configuration: JSONValue) -> Bool {
    configuration["registered_name"] != nil && configuration["model_type"]?.isNull != false
  }

  /// Whether a directory has the configuration of a KerasHub preset.
  package static func isKerasHub(directory: String) -> Bool {
    readConfiguration(in: directory).map(isKerasHub) ?? false
  }

  /// The config.json of a directory; nil where there is none that can be read as JSON.
  package static func readConfiguration(in directory: String) -> JSONValue? {
    let file = Path.join(directory, configuration)
    guard Path.isFile(file), let bytes = try? FileMapping.contents(of: file) else { return nil }
    return try? JSONValue.parse(bytes)
  }

  /// Whether a name that an index lists is that of a file beside it, and leads nowhere else.
  package static func isName(ofShard name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
  }
}
