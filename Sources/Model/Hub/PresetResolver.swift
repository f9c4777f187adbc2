/// Where a model comes from.
public enum PresetSource: Sendable, Equatable {
  /// A model directory.
  case directory(String)
  /// A preset that is part of the program, by name.
  case embedded(String)
  /// A snapshot in the hub's cache.
  case hub(HubAddress, directory: String)
}

/// What `--preset` named: all that is needed to build the model and its tokenizer.
public struct ResolvedPreset: Sendable {
  /// Where the tokenizer comes from.
  public enum Tokenizer: Sendable {
    /// The tokenizer's files are in that directory.
    case directory(String)
    /// It is part of the program.
    case embedded(EmbeddedPreset)
  }

  /// Where weights come from.
  public enum Weights: Sendable {
    /// A model directory (`ModelDirectory.open`).
    case directory(String)
    /// They are part of the program.
    case embedded(EmbeddedPreset)
    /// From the seed.
    case random
  }

  /// How the model is called in messages: as it was asked for.
  public let displayName: String
  /// Where it was found.
  public let source: PresetSource
  /// Its sizes and rates.
  public let configuration: Configuration
  /// Where its tokenizer comes from.
  public let tokenizer: Tokenizer
  /// Whether input is lower-cased, where the preset says so and not its files alone.
  public let isLowercase: Bool?
  /// Where its weights come from.
  public let weights: Weights
  /// Its directory, as it was when it was found.
  var folder: OpenDirectory?

  /// Calls `body`, which reads files of the preset's directory: those of the directory that was found, though another take its place.
  ///
  /// - Throws: what `body` throws; or that files were removed meanwhile, which `PresetRegistry.resolve` with a body tries again.
  public func reading<Result>(_ body: () throws -> Result) throws -> Result {
    try folder.map { try $0.reading(body) } ?? body()
  }
}

extension PresetRegistry {
  /// Finds what a `--preset` argument names: a directory that exists (of the name of a preset: a model directory), else a preset,
  /// else `hf://OWNER/NAME[@REVISION]`. What is missing in the hub's cache is fetched, unless the hub is offline.
  ///
  /// - Parameter loadWeights: without, the architecture and the vocabulary are enough.
  /// - Throws: `PresetError`, `HubError`, `FileError`, `CheckpointError`.
  public func resolve(
    _ argument: String, hub: Hub = .offline, loadWeights: Bool = true
  ) throws -> ResolvedPreset {
    let kind = Path.kind(argument)
    if isDirectory(argument) { return try resolve(directory: argument, nil, named: argument, loadWeights: loadWeights) }
    if let preset = self[argument] {
      if let embedded = preset.embedded {
        return ResolvedPreset(
          displayName: preset.name, source: .embedded(preset.name), configuration: embedded.configuration,
          tokenizer: .embedded(embedded), isLowercase: preset.isLowercase,
          weights: loadWeights ? .embedded(embedded) : .random)
      }
      if let directory = preset.directory {
        guard Path.isDirectory(directory) else { throw PresetError.noDirectory(name: preset.name, path: directory) }
        return try resolve(directory: directory, preset, named: preset.name, loadWeights: loadWeights)
      }
    }
    if kind != nil, self[argument] == nil { throw FileError.notDirectory(path: argument) }
    let place = try place(argument)
    return try resolve(place, named: argument, hub, loadWeights: loadWeights)
  }

  /// Finds what a `--preset` argument names, and calls `body`, which reads it. Where its directory was replaced meanwhile, so that files
  /// of the old one are gone, both are done again with the new one.
  ///
  /// - Throws: as `resolve`, and what `body` throws.
  public func resolve<Result>(
    _ argument: String, hub: Hub = .offline, loadWeights: Bool = true, _ body: (ResolvedPreset) throws -> Result
  ) throws -> Result {
    try OpenDirectory.again { try body(resolve(argument, hub: hub, loadWeights: loadWeights)) }
  }

  /// Fetches all files of a preset, or of a repository by address, and returns the directory they are in. The hub is asked even
  /// where a branch is in the cache already, since it may have moved.
  public func download(_ argument: String, hub: Hub) throws -> String {
    if let preset = self[argument] {
      if preset.embedded != nil {
        throw PresetError.notOnTheHub(name: argument, place: "it is part of the program")
      }
      if let directory = preset.directory {
        throw PresetError.notOnTheHub(name: argument, place: "it is the directory \(directory)")
      }
    } else if Path.isDirectory(argument) {
      throw PresetError.notOnTheHub(name: argument, place: "it is a directory")
    }
    return try fetch(place(argument), named: argument, HubPart.allCases, refresh: true, hub)
  }

  /// Whether an argument is meant as a directory. One without a model does not take the place of a preset.
  func isDirectory(_ argument: String) -> Bool {
    Path.isDirectory(argument)
      && (self[argument] == nil || Path.isFile(Path.join(argument, ModelDirectory.configurationName)))
  }

  private func fetch(
    _ place: Place, named name: String, _ parts: [HubPart], refresh: Bool = false, _ hub: Hub
  ) throws -> String {
    do {
      return try hub.snapshot(
        place.address, preset: place.preset, aliases: place.aliases, parts: parts, refresh: refresh)
    } catch let error as HubError where error.isOutage {
      // Both places that were tried are named.
      throw PresetError.notAtHand(name: name, cache: hub.environment.cacheDirectory, cause: error)
    }
  }

  /// Whether all files of a preset are at hand.
  public func isAvailable(_ preset: Preset, hub: Hub) -> Bool {
    if let directory = preset.directory { return Path.isDirectory(directory) }
    guard let address = preset.address else { return true }
    return hub.cached(address, aliases: preset.aliases, parts: HubPart.allCases) != nil
  }

  /// A place on the hub, and what is known of it.
  struct Place {
    let address: HubAddress
    /// The preset that is at this very revision.
    let preset: Preset?
    /// A preset of the same repository.
    let related: Preset?
    var aliases: [String] { (preset ?? related)?.aliases ?? [] }
  }

  /// Where on the hub a preset is, or what `hf://…` names.
  func place(_ argument: String) throws -> Place {
    if let preset = self[argument], let address = preset.address {
      return Place(address: address, preset: preset, related: preset)
    }
    guard let address = try HubAddress.parse(argument) else { throw unknown(argument) }
    return place(address)
  }

  func place(_ address: HubAddress) -> Place {
    guard let related = presetWithRepository(address.repository), let canonical = related.address else {
      return Place(address: address, preset: nil, related: nil)
    }
    let address = HubAddress(repository: canonical.repository, revision: address.revision)
    return Place(address: address, preset: presets.first { $0.address == address }, related: related)
  }

  /// The preset of a repository, by its name or an older one.
  private func presetWithRepository(_ repository: String) -> Preset? {
    presets.first { $0.address?.repository == repository } ?? presets.first { $0.aliases.contains(repository) }
  }

  private func unknown(_ argument: String) -> PresetError {
    let names = presets.map(\.name)
    var guess: PresetError.Guess?
    let address = Self.address(inLink: argument)
    let name = address ?? argument
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    if let preset = presetWithRepository(name), let address = preset.address {
      guess = .repository(preset: preset.name, of: address.repository)
    } else if address == nil, let nearest = nearest(to: name) {
      guess = .preset(nearest)
    } else if parts.count == 2, parts.allSatisfy(HubAddress.isName) {
      guess = .address(name)
    }
    return .unknown(name: argument, sources: sources, meant: guess, known: names)
  }

  /// The preset whose name is like this one, in whatever case, with dashes or underscores.
  private func nearest(to name: String) -> String? {
    func plain(_ name: String) -> String { String(name.lowercased().map { $0 == "-" ? "_" : $0 }) }
    let names = presets.map { plain($0.name) }
    guard let nearest = EditDistance.nearest(to: plain(name), among: names) else { return nil }
    return names.firstIndex(of: nearest).map { presets[$0].name }
  }

  /// `OWNER/NAME` of a link to a page of the hub, or of an address that is not spelled right.
  private static func address(inLink text: String) -> String? {
    let starts = [
      "https://huggingface.co/", "http://huggingface.co/", "https://hf.co/", "huggingface.co/", "hf.co/", "hf://",
      "hf:",
    ]
    let plain = text.lowercased()
    guard let start = starts.first(where: { plain.hasPrefix($0) }) else { return nil }
    let parts = text.dropFirst(start.count).split(separator: "/").prefix(2)
    guard !parts.isEmpty, parts.allSatisfy(HubAddress.isName) else { return nil }
    return parts.joined(separator: "/")
  }

  private func resolve(
    directory: String, _ preset: Preset?, named name: String, loadWeights: Bool
  ) throws -> ResolvedPreset {
    let (folder, configuration) = try Self.configuration(directory)
    return ResolvedPreset(
      displayName: name, source: .directory(directory), configuration: configuration,
      tokenizer: .directory(directory), isLowercase: preset?.isLowercase,
      weights: loadWeights ? .directory(directory) : .random, folder: folder)
  }

  /// What the config.json of a directory says, and the directory that it is in.
  private static func configuration(_ directory: String) throws -> (OpenDirectory?, Configuration) {
    let folder = OpenDirectory(directory)
    func read() throws -> Configuration { try ModelDirectory.open(directory, loadWeights: false).configuration }
    return (folder, try folder.map { try $0.reading(read) } ?? read())
  }

  private func resolve(
    _ place: Place, named name: String, _ hub: Hub, loadWeights: Bool
  ) throws -> ResolvedPreset {
    var parts: [HubPart] = [.configuration, .vocabulary]
    if loadWeights { parts.append(.weights) }
    // The architecture of a preset is known without its file, so that a vocabulary in the cache is enough.
    let known = loadWeights ? nil : place.preset?.configuration
    let nearby = known.flatMap { _ in hub.cached(place.address, aliases: place.aliases, parts: [.vocabulary]) }
    let directory = try nearby ?? fetch(place, named: name, parts, hub)
    let (folder, configuration): (OpenDirectory?, Configuration)
    if let known, Path.kind(Path.join(directory, ModelDirectory.configurationName)) == nil {
      (folder, configuration) = (OpenDirectory(directory), known)
    } else {
      (folder, configuration) = try Self.configuration(directory)
    }
    return ResolvedPreset(
      displayName: name, source: .hub(place.address, directory: directory), configuration: configuration,
      tokenizer: .directory(directory), isLowercase: (place.preset ?? place.related)?.isLowercase,
      weights: loadWeights ? .directory(directory) : .random, folder: folder)
  }
}
