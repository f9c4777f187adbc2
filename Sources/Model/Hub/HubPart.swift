/// What a model needs of a repository, each by the files that can provide it.
public enum HubPart: Sendable, CaseIterable {
  case configuration, vocabulary, weights

  /// Any of them will do; the last ones of a KerasHub preset.
  var files: [String] {
    switch self {
    case .configuration: ["config.json"]
    case .vocabulary: ["tokenizer.json", "vocab.txt", Self.kerasVocabulary]
    case .weights: ["model.safetensors", ModelDirectory.indexName, Self.kerasWeights]
    }
  }

  static let kerasVocabulary = "assets/tokenizer/vocabulary.txt"
  static let kerasWeights = "model.weights.h5"

  /// In words, for errors: the files that most repositories have.
  var description: String { files.prefix(2).joined(separator: " or ") }

  /// What a directory lacks of it, in words; nil where nothing is missing.
  func missing(in directory: String) -> String? {
    func has(_ file: String) -> Bool { Path.isFile(Path.join(directory, file)) }
    guard let file = files.first(where: has) else { return description }
    // KerasHub's tokenizer.json has the options alone.
    if file == "tokenizer.json", !has(Self.kerasVocabulary), Self.isKerasPreset(directory) {
      return Self.kerasVocabulary
    }
    guard file == ModelDirectory.indexName else { return nil }
    // The index is written first: what it lists may be still to come.
    return Self.shards(inIndex: Path.join(directory, file)).first { !has($0) }
  }

  private static func isKerasPreset(_ directory: String) -> Bool {
    let file = Path.join(directory, ModelDirectory.configurationName)
    guard let bytes = try? FileMapping.contents(of: file), let json = try? JSONValue.parse(bytes) else { return false }
    return Configuration.isKerasHub(json)
  }

  /// The files that an index of shards lists, each once; none where it cannot be read, which whoever loads it will say.
  static func shards(inIndex path: String) -> [String] {
    guard let bytes = try? FileMapping.contents(of: path), let map = try? JSONValue.parse(bytes)["weight_map"]?.object
    else { return [] }
    return Array(Set(map.compactMap(\.value.string))).sorted()
  }
}
