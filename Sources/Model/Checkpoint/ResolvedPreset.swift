import Files
import Hub
import Text

/// A resolved preset: everything that is needed to build the model and its tokenizer.
package struct ResolvedPreset: Sendable {
  /// The source of the tokenizer.
  package enum Tokenizer: Sendable {
    /// A directory that contains the tokenizer's files.
    case directory(String)
    /// A tokenizer that is part of the program.
    case embedded(EmbeddedPreset)
  }

  /// The source of the weights.
  package enum Weights: Sendable {
    /// A model directory (`ModelDirectory.open`).
    case directory(String)
    /// Weights that are part of the program.
    case embedded(EmbeddedPreset)
    /// Random weights from the seed.
    case random
    /// The weights of a training checkpoint, which `fit` restores: none are read before.
    case restored
  }

  /// The model's name in messages: the name that was requested.
  package let displayName: String
  /// Where the preset was found.
  package let source: PresetSource
  /// The model's sizes and rates.
  package let configuration: Configuration
  /// The source of the tokenizer.
  package let tokenizer: Tokenizer
  /// Whether text is lower-cased, if the preset itself specifies it; nil if only its files do.
  package let isLowercase: Bool?
  /// The source of the weights.
  package var weights: Weights
  /// The preset's directory, opened when it was found.
  package var folder: OpenDirectory?

  /// Calls `body`, which reads files of the preset's directory. They are those of the directory that was found, even if
  /// another replaces it.
  ///
  /// - Throws: the errors of `body`, or an error if files were removed meanwhile; `PresetRegistry.resolve` with a body
  ///   retries after it.
  package func reading<Result>(_ body: () throws -> Result) throws -> Result {
    try folder.map { try $0.reading(body) } ?? body()
  }
}

extension ResolvedPreset {
  /// Resolves a location. Reads only config.json.
  init(_ location: PresetLocation, loadWeights: Bool) throws {
    (displayName, source) = (location.displayName, location.source)
    isLowercase = location.isLowercase
    guard let directory = location.directory else {
      guard let embedded = location.embedded, let config = location.config else {
        throw CheckpointError.noWeights(path: location.displayName)
      }
      configuration = try Configuration(json: config, file: location.displayName)
      tokenizer = .embedded(embedded)
      weights = loadWeights ? .embedded(embedded) : .random
      return
    }
    let folder = OpenDirectory(directory)
    self.folder = folder
    tokenizer = .directory(directory)
    weights = loadWeights ? .directory(directory) : .random
    if let config = location.config, Path.kind(Path.join(directory, ModelFiles.configuration)) == nil {
      configuration = try Configuration(json: config, file: location.displayName)
    } else {
      func read() throws -> Configuration { try ModelDirectory.open(directory, loadWeights: false).configuration }
      configuration = try folder.map { try $0.reading(read) } ?? read()
    }
  }
}

extension PresetRegistry {
  /// The presets of presets.json at the time the program was built.
  package static func builtIn() throws -> PresetRegistry { try builtIn(counting: Configuration.parameterCounts) }

  /// Loads the built-in presets, and those of a file in the same format.
  ///
  /// - Parameter file: the file; nil for none.
  /// - Throws: `PresetError`, or `JSONError` with the line.
  package static func load(adding file: String?) throws -> PresetRegistry {
    try load(adding: file, counting: Configuration.parameterCounts)
  }

  /// Resolves a `--preset` argument: an existing directory (even if a preset has the same name), otherwise a preset,
  /// otherwise `hf://OWNER/NAME[@REVISION]`. Files missing from the hub's cache are downloaded, unless the hub is
  /// offline.
  ///
  /// - Parameter loadWeights: whether the weights are needed; otherwise, the architecture and the vocabulary suffice.
  /// - Throws: `PresetError`, `HubError`, `FileError`, `CheckpointError`.
  package func resolve(_ argument: String, hub: Hub = .offline, loadWeights: Bool = true) throws -> ResolvedPreset {
    try ResolvedPreset(locate(argument, hub: hub, weights: loadWeights), loadWeights: loadWeights)
  }

  /// Resolves a `--preset` argument, and calls `body`, which reads the preset. If the directory was replaced meanwhile
  /// and old files are gone, repeats both with the new one.
  ///
  /// - Throws: the errors of `resolve` and `body`.
  package func resolve<Result>(
    _ argument: String, hub: Hub = .offline, loadWeights: Bool = true, _ body: (ResolvedPreset) throws -> Result
  ) throws -> Result {
    try OpenDirectory.again { try body(resolve(argument, hub: hub, loadWeights: loadWeights)) }
  }
}

extension Preset {
  /// The sizes and rates, if the registry has them.
  package var configuration: Configuration? { config.flatMap { try? Configuration(json: $0, file: name) } }
}

extension Configuration {
  /// Returns the parameter counts of the encoder and of the whole model with this config.json.
  fileprivate static func parameterCounts(_ json: JSONValue, _ file: String) throws -> PresetRegistry.ParameterCounts {
    try Configuration(json: json, file: file).parameterTable.counts
  }
}

extension EmbeddedPreset {
  func loadTokenizer(lowercase: Bool) throws -> WordPieceTokenizer {
    try WordPieceTokenizer(
      vocabulary: try Vocabulary(vocabTXT: vocabulary.text, file: vocabulary.path), options: .init(lowercase: lowercase)
    )
  }

  func loadWeights(_ configuration: Configuration) throws -> ResolvedWeights {
    let file = try Safetensors(weights)
    return try WeightResolver.resolve(configuration, file.tensors, aliases: file.metadata, file: file.path)
  }
}
