/// Where a model comes from.
public enum PresetSource: Sendable, Equatable {
  case directory(String)
  /// A preset that is part of the program, by name.
  case embedded(String)
  /// A snapshot in the hub's cache.
  case hub(HubAddress, directory: String)
}

/// What `--preset` named: all that is needed to build the model and its tokenizer.
public struct ResolvedPreset: Sendable {
  public enum Tokenizer: Sendable, Equatable {
    /// The tokenizer's files are in that directory.
    case directory(String)
    /// A vocabulary of one word piece a line, that is part of the program.
    case vocabulary([UInt8], name: String)
  }

  /// How the model is called in messages: as it was asked for.
  public let displayName: String
  public let source: PresetSource
  public let configuration: Configuration
  public let tokenizer: Tokenizer
  /// Whether input is lower-cased, where the preset says so and not its files alone.
  public let isLowercase: Bool?
  /// The model directory with the weights (`ModelDirectory.open`); nil where the weights are random.
  public let weightsDirectory: String?
  /// What a person should know, each one line.
  public let notes: [String]
}

extension PresetRegistry {
  /// Finds what a `--preset` argument names: a directory that exists, else a preset, else `hf://OWNER/NAME[@REVISION]` in the hub's
  /// cache. No network is asked.
  /// - Parameter loadWeights: without, the architecture and the vocabulary are enough.
  public func resolve(
    _ argument: String, environment: HubEnvironment, loadWeights: Bool = true
  ) throws -> ResolvedPreset {
    if let kind = Path.kind(argument) {
      guard kind == .directory else { throw FileError.notDirectory(path: argument) }
      return try directory(argument, loadWeights: loadWeights)
    }
    if let preset = self[argument] {
      if let (configuration, vocabulary) = preset.embedded {
        let note = "\(preset.name) has no trained weights yet: they are random"
        return ResolvedPreset(
          displayName: preset.name, source: .embedded(preset.name), configuration: configuration,
          tokenizer: .vocabulary(vocabulary, name: preset.name), isLowercase: preset.isLowercase,
          weightsDirectory: nil, notes: loadWeights ? [note] : [])
      }
      if let address = preset.address {
        return try hub(address, preset, named: preset.name, environment, loadWeights: loadWeights)
      }
    }
    if let address = try HubAddress.parse(argument) {
      let preset = presets.first {
        $0.address?.repository == address.repository || $0.aliases.contains(address.repository)
      }
      return try hub(address, preset, named: argument, environment, loadWeights: loadWeights)
    }
    let names = presets.map(\.name)
    throw HubError.unknownPreset(
      name: argument, nearest: EditDistance.nearest(to: argument, among: names), known: names)
  }

  /// Whether all files of a preset are at hand.
  public func isAvailable(_ preset: Preset, environment: HubEnvironment) -> Bool {
    guard let address = preset.address else { return true }
    let parts: [HubPart] = [.configuration, .vocabulary, .weights]
    if case .found = HubCache(environment).find(address, aliases: preset.aliases, parts: parts) { return true }
    return false
  }

  private func directory(_ path: String, loadWeights: Bool) throws -> ResolvedPreset {
    let model = try ModelDirectory.open(path, loadWeights: false)
    return ResolvedPreset(
      displayName: path, source: .directory(path), configuration: model.configuration, tokenizer: .directory(path),
      isLowercase: nil, weightsDirectory: loadWeights ? path : nil, notes: [])
  }

  private func hub(
    _ address: HubAddress, _ preset: Preset?, named name: String, _ environment: HubEnvironment, loadWeights: Bool
  ) throws -> ResolvedPreset {
    let cache = HubCache(environment)
    var parts: [HubPart] = loadWeights ? [.configuration, .vocabulary, .weights] : [.configuration, .vocabulary]
    // The architecture of a preset is known without its file.
    let isPreset = preset != nil && preset?.address == address
    if isPreset && !loadWeights { parts = [.vocabulary] }
    let aliases = preset.map {
      ([$0.address?.repository].compactMap { $0 } + $0.aliases).filter { $0 != address.repository }
    }
    switch cache.find(address, aliases: aliases ?? [], parts: parts) {
    case .found(let directory):
      let file = Path.join(directory, ModelDirectory.configurationName)
      let configuration: Configuration
      if isPreset, let preset, Path.kind(file) == nil {
        configuration = Configuration(vocabularySize: preset.vocabularySize)
      } else {
        configuration = try Configuration.load(file: file)
      }
      return ResolvedPreset(
        displayName: name, source: .hub(address, directory: directory), configuration: configuration,
        tokenizer: .directory(directory), isLowercase: preset?.isLowercase,
        weightsDirectory: loadWeights ? directory : nil, notes: [])
    case .missing(let missing, let others):
      throw HubError.notInCache(
        repository: address.repository, revision: address.revision, missing: missing, cache: cache.root,
        others: others)
    }
  }
}

/// How far one name is from another, for suggestions.
enum EditDistance {
  /// The name that was probably meant, if any is near.
  static func nearest(to name: String, among names: [String]) -> String? {
    let best = names.map { ($0, distance(Array(name.utf8), Array($0.utf8))) }.min { $0.1 < $1.1 }
    guard let best, best.1 <= max(2, best.0.utf8.count / 3) else { return nil }
    return best.0
  }

  /// Insertions, removals and replacements between two texts (Levenshtein).
  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    if a.count > 256 { return a.count }
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let replaced = diagonal + (x == y ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}
