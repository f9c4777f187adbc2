import Files
import Text

/// What a model needs of a repository, each by the files that can provide it.
package enum HubPart: Sendable, CaseIterable {
  /// Sizes and rates; word pieces; the parameters.
  case configuration, vocabulary, weights

  /// Any of them will do; the last ones of a KerasHub preset.
  package var files: [String] {
    switch self {
    case .configuration: [ModelFiles.configuration]
    case .vocabulary: ["tokenizer.json", "vocab.txt", ModelFiles.kerasVocabulary]
    case .weights: [ModelFiles.weights, ModelFiles.index, ModelFiles.kerasWeights]
    }
  }

  /// In words, for errors: the files that most repositories have.
  package var description: String { files.prefix(2).joined(separator: " or ") }

  /// What a directory lacks of it, in words; nil where nothing is missing.
  package func missing(in directory: String) -> String? {
    func has(_ file: String) -> Bool { Path.isFile(Path.join(directory, file)) }
    guard let file = files.first(where: has) else { return description }
    // KerasHub's tokenizer.json has the options alone.
    let kerasVocabulary = ModelFiles.kerasVocabulary
    if file == "tokenizer.json", !has(kerasVocabulary), ModelFiles.isKerasHub(directory: directory) {
      return kerasVocabulary
    }
    guard file == ModelFiles.index else { return nil }
    // The index is written first: what it lists may be still to come.
    return Self.shards(inIndex: Path.join(directory, file)).first { !has($0) }
  }

  /// The files that an index of shards lists, each once; none where it cannot be read, which whoever loads it will say.
  package static func shards(inIndex path: String) -> [String] {
    guard let bytes = try? FileMapping.contents(of: path), let map = try? JSONValue.parse(bytes)["weight_map"]?.object
    else { return [] }
    return Array(Set(map.compactMap(\.value.string))).sorted()
  }
}
