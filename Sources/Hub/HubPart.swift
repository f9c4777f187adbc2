import Files
import Text

/// The parts that a model needs from a repository, each with the files that can provide it.
package enum HubPart: Sendable, CaseIterable {
  /// The sizes and rates, the word pieces, and the parameters.
  case configuration, vocabulary, weights

  /// The files that can provide the part. Any one is enough; the last one belongs to KerasHub presets.
  package var files: [String] {
    switch self {
    case .configuration: [ModelFiles.configuration]
    case .vocabulary: ["tokenizer.json", "vocab.txt", ModelFiles.kerasVocabulary]
    case .weights: [ModelFiles.weights, ModelFiles.index, ModelFiles.kerasWeights]
    }
  }

  /// The files that most repositories have, for errors.
  package var description: String { files.prefix(2).joined(separator: " or ") }

  /// The description of the files that a directory lacks; nil if nothing is missing.
  package func missing(in directory: String) -> String? {
    func has(_ file: String) -> Bool { Path.isFile(Path.join(directory, file)) }
    guard let file = files.first(where: has) else { return description }
    // KerasHub's tokenizer.json has only options.
    let kerasVocabulary = ModelFiles.kerasVocabulary
    if file == "tokenizer.json", !has(kerasVocabulary), ModelFiles.isKerasHub(directory: directory) {
      return kerasVocabulary
    }
    guard file == ModelFiles.index else { return nil }
    // The index is downloaded first: the files that it lists may be missing.
    return Self.shards(inIndex: Path.join(directory, file)).first { !has($0) }
  }

  /// The files that an index of shards lists, each once; none if the index is unreadable, which is reported when it is
  /// loaded.
  package static func shards(inIndex path: String) -> [String] {
    guard let bytes = try? FileMapping.contents(of: path), let map = try? JSONValue.parse(bytes)["weight_map"]?.object
    else { return [] }
    return Array(Set(map.compactMap(\.value.string))).sorted()
  }
}
