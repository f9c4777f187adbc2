import Text

/// An entry of a registry (presets.json): a model by name.
public struct Preset: Sendable {
  /// A file of a preset, as far as it is known.
  public struct File: Sendable, Equatable {
    /// What it is called.
    public let name: String
    /// Bytes; nil where they are not known.
    public let size: Int?
    /// In hexadecimal, where it is published.
    public let sha256: String?
    /// Whether the model can do without: another file stands for it, or it says what is known anyway.
    public let isOptional: Bool
  }

  /// What `--preset` and `fromPreset` call it.
  public let name: String
  /// One line on what it is.
  public let description: String
  /// Language codes, or "multilingual".
  public let languages: [String]
  /// Whether input is lower-cased; nil: as its files say.
  public let isLowercase: Bool?
  /// What config.json says, where the registry has it.
  package let config: JSONValue?
  /// Numbers in the encoder, and in the whole model, where the shared word embedding is counted once.
  public let backboneParameterCount, parameterCount: Int?
  /// Where its files are: a repository of the hub, …
  public let address: HubAddress?
  /// Older names of the repository.
  public let aliases: [String]
  /// The files of the repository that a model needs.
  public let files: [File]
  /// … or a model directory, …
  public let directory: String?
  /// … or in the program.
  package let embedded: EmbeddedPreset?
  /// What others have published that this model gives.
  package let published: [PublishedValues]

  /// What is known of a file; nil for one that the registry does not list.
  package func file(_ name: String) -> File? { files.first { $0.name == name } }

  /// Bytes of all files whose size is known; nil where none is.
  public var size: Int? {
    if let embedded { return embedded.weights.bytes.count + embedded.vocabulary.bytes.count }
    let sizes = files.compactMap(\.size)
    return sizes.isEmpty ? nil : sizes.reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 }
  }
}
