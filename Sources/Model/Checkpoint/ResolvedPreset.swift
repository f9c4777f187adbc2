import Files
import Hub
import Text

/// What `--preset` named: all that is needed to build the model and its tokenizer.
package struct ResolvedPreset: Sendable {
  /// Where the tokenizer comes from.
  package enum Tokenizer: Sendable {
    /// The tokenizer's files are in that directory.
    case directory(String)
    /// It is part of the program.
    case embedded(EmbeddedPreset)
  }

  /// Where weights come from.
  package enum Weights: Sendable {
    /// A model directory (`ModelDirectory.open`).
    case directory(String)
    /// They are part of the program.
    case embedded(EmbeddedPreset)
    /// From the seed.
    case random
    /// Those of a training checkpoint, which `fit` restores: none are read before.
    case restored
  }

  /// How the model is called in messages: as it was asked for.
  package let displayName: String
  /// Where it was found.
  package let source: PresetSource
  /// Its sizes and rates.
  package let configuration: Configuration
  /// Where its tokenizer comes from.
  package let tokenizer: Tokenizer
  /// Whether input is lower-cased, where the preset says so and not its files alone.
  package let isLowercase: Bool?
  /// Where its weights come from.
  package var weights: Weights
  /// Its directory, as it was when it was found.
  package var folder: OpenDirectory?

  /// Calls `body`, which reads files of the preset's directory: those of the directory that was found, though another take its place.
  ///
  /// - Throws: what `body` throws; or that files were removed meanwhile, which `PresetRegistry.resolve` with a body tries again.
  package func reading<Result>(_ body: () throws -> Result) throws -> Result {
    try folder.map { try $0.reading(body) } ?? body()
  }
}

extension ResolvedPreset {
  /// What a location holds; config.json is read, nothing else.
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
  /// presets.json as it was when the program was built.
  package static func builtIn() throws -> PresetRegistry { try builtIn(counting: Configuration.parameterCounts) }

  /// The built-in presets, and those of a file in the same format.
  ///
  /// - Parameter file: nil: none.
  /// - Throws: `PresetError`, or `JSONError` with the line.
  package static func load(adding file: String?) throws -> PresetRegistry {
    try load(adding: file, counting: Configuration.parameterCounts)
  }

  /// Finds what a `--preset` argument names: a directory that exists (of the name of a preset: a model directory), else a preset,
  /// else `hf://OWNER/NAME[@REVISION]`. What is missing in the hub's cache is fetched, unless the hub is offline.
  ///
  /// - Parameter loadWeights: without, the architecture and the vocabulary are enough.
  /// - Throws: `PresetError`, `HubError`, `FileError`, `CheckpointError`.
  package func resolve(_ argument: String, hub: Hub = .offline, loadWeights: Bool = true) throws -> ResolvedPreset {
    try ResolvedPreset(locate(argument, hub: hub, weights: loadWeights), loadWeights: loadWeights)
  }

  /// Finds what a `--preset` argument names, and calls `body`, which reads it. Where its directory was replaced meanwhile, so that files
  /// of the old one are gone, both are done again with the new one.
  ///
  /// - Throws: as `resolve`, and what `body` throws.
  package func resolve<Result>(
    _ argument: String, hub: Hub = .offline, loadWeights: Bool = true, _ body: (ResolvedPreset) throws -> Result
  ) throws -> Result {
    try OpenDirectory.again { try body(resolve(argument, hub: hub, loadWeights: loadWeights)) }
  }
}

extension Preset {
  /// Sizes and rates, where the registry has them.
  package var configuration: Configuration? { config.flatMap { try? Configuration(json: $0, file: name) } }
}

extension Configuration {
  /// How many numbers the encoder and the whole model of a config.json have.
  fileprivate static func parameterCounts(_ json: JSONValue, _ file: String) throws -> PresetRegistry.ParameterCounts {
    let configuration = try Configuration(json: json, file: file)
    return (configuration.backboneParameterCount, configuration.parameterCount)
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
