import Text

/// An entry of a registry (presets.json): a model by name.
public struct Preset: Sendable {
  /// A file of a preset, with the known values.
  public struct File: Sendable, Equatable {
    /// The file's name.
    public let name: String
    /// The size in bytes; nil if it is unknown.
    public let size: Int?
    /// The SHA-256 in hexadecimal; nil if it is not published.
    public let sha256: String?
    /// Whether the model does not need the file, as another file or the registry has its content.
    public let isOptional: Bool
  }

  /// The name for `--preset` and `fromPreset`.
  public let name: String
  /// A description in one line.
  public let description: String
  /// Language codes, or "multilingual".
  public let languages: [String]
  /// Whether input is lower-cased; nil: as its files specify.
  public let isLowercase: Bool?
  /// The content of config.json, if the registry has it.
  package let config: JSONValue?
  /// The number of parameters of the encoder, and of the whole model, which counts the shared word embedding once.
  public let backboneParameterCount, parameterCount: Int?
  /// The repository of the hub that has the files, if they are on the hub.
  public let address: HubAddress?
  /// Older names of the repository.
  public let aliases: [String]
  /// The files of the repository that a model needs.
  public let files: [File]
  /// The model directory that has the files, if they are in a directory.
  public let directory: String?
  /// The files, if they are part of the program.
  package let embedded: EmbeddedPreset?
  /// Published outputs of this model.
  package let published: [PublishedValues]

  /// The registry's entry for a file; nil if it is not listed.
  package func file(_ name: String) -> File? { files.first { $0.name == name } }

  /// The total size of the files whose size is known, in bytes; nil if none is.
  public var size: Int? {
    if let embedded { return embedded.weights.bytes.count + embedded.vocabulary.bytes.count }
    let sizes = files.compactMap(\.size)
    return sizes.isEmpty ? nil : sizes.reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 }
  }
}
