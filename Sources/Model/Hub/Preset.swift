/// An entry of presets.json: a model by name.
public struct Preset: Sendable {
  public struct File: Sendable, Equatable {
    public let name: String
    public let size: Int?
    /// In hexadecimal, where it is published.
    public let sha256: String?
  }

  public let name: String
  public let description: String
  /// Language codes, or "multilingual".
  public let languages: [String]
  /// Whether input is lower-cased.
  public let isLowercase: Bool
  /// Numbers in the encoder, and in the whole model; the shared word embedding is counted once.
  public let backboneParameterCount: Int
  public let parameterCount: Int
  /// Where its files are; nil for a preset that is part of the program.
  public let address: HubAddress?
  /// Older names of the repository.
  public let aliases: [String]
  public let files: [File]
  /// Architecture and vocabulary (vocab.txt) of a preset that is part of the program.
  public let embedded: (configuration: Configuration, vocabulary: [UInt8])?
  /// The vocabulary's size.
  public let vocabularySize: Int

  /// What is known of a file; nil for one that the registry does not list.
  func file(_ name: String) -> File? { files.first { $0.name == name } }

  /// Bytes of all files whose size is known; 0 for a preset that is part of the program.
  public var downloadSize: Int { files.reduce(0) { $0 + ($1.size ?? 0) } }
}

/// The presets that go by name.
public struct PresetRegistry: Sendable {
  public let presets: [Preset]

  public subscript(_ name: String) -> Preset? { presets.first { $0.name == name } }

  /// presets.json as it was when the program was built.
  public static func builtIn() throws -> PresetRegistry {
    try PresetRegistry(
      json: JSONValue.parse(PackageResources.presets_json, file: "presets.json"),
      vocabularies: [
        "DistilBertTinyEnUncasedVocabulary": bytes(DistilBertTinyEnUncasedVocabulary.text)
      ])
  }

  private static func bytes(_ text: StaticString) -> [UInt8] { text.withUTF8Buffer { Array($0) } }

  /// - Parameter vocabularies: the embedded ones, by the name that the registry gives them.
  init(json: JSONValue, vocabularies: [String: [UInt8]]) throws {
    guard let entries = json["presets"]?.array else { throw HubError.malformedRegistry(what: "no array 'presets'") }
    presets = try entries.map { try Self.preset($0, vocabularies) }
  }

  private static func preset(_ entry: JSONValue, _ vocabularies: [String: [UInt8]]) throws -> Preset {
    guard let name = entry["name"]?.string else { throw HubError.malformedRegistry(what: "a preset without a name") }
    func malformed(_ key: String) -> HubError { .malformedRegistry(what: "'\(key)' of \(name)") }
    guard let description = entry["description"]?.string else { throw malformed("description") }
    guard let languages = entry["languages"]?.array?.compactMap(\.string) else { throw malformed("languages") }
    guard let letters = entry["case"]?.string, letters == "lower" || letters == "kept" else { throw malformed("case") }

    if let config = entry["config"] {
      guard let file = entry["vocabulary"]?.string, let vocabulary = vocabularies[file] else {
        throw malformed("vocabulary")
      }
      var configuration = try Configuration(json: config, file: "presets.json")
      configuration.vocabularySize = lineCount(vocabulary)  // the vocabulary that ships decides
      return Preset(
        name: name, description: description, languages: languages, isLowercase: letters == "lower",
        backboneParameterCount: configuration.backboneParameterCount, parameterCount: configuration.parameterCount,
        address: nil, aliases: [], files: [], embedded: (configuration, vocabulary),
        vocabularySize: configuration.vocabularySize)
    }
    guard let repository = entry["repository"]?.string, let revision = entry["revision"]?.string,
      let address = try HubAddress.parse("hf://\(repository)@\(revision)"), address.isCommit
    else { throw malformed("repository") }
    guard let backbone = entry["parameters"]?["backbone"]?.int, let all = entry["parameters"]?["all"]?.int else {
      throw malformed("parameters")
    }
    guard let vocabularySize = entry["vocabulary_size"]?.int, vocabularySize > 0 else {
      throw malformed("vocabulary_size")
    }
    let files = try (entry["files"]?.array ?? []).map { file in
      guard let name = file["name"]?.string else { throw malformed("files") }
      return Preset.File(name: name, size: file["size"]?.int, sha256: file["sha256"]?.string)
    }
    return Preset(
      name: name, description: description, languages: languages, isLowercase: letters == "lower",
      backboneParameterCount: backbone, parameterCount: all, address: address,
      aliases: entry["aliases"]?.array?.compactMap(\.string) ?? [], files: files, embedded: nil,
      vocabularySize: vocabularySize)
  }

  /// Lines of a vocabulary; the last may lack its end.
  static func lineCount(_ text: [UInt8]) -> Int {
    let ends = text.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
    return ends + (text.isEmpty || text.last == UInt8(ascii: "\n") ? 0 : 1)
  }
}
