import Files
import Text

extension PresetRegistry {
  /// Finds the model that a `--preset` argument names: an existing directory, else a preset, else
  /// `hf://OWNER/NAME[@REVISION]`. A directory with the name of a preset counts only if it has a config.json. Downloads
  /// the files that are missing in the hub's cache, unless the hub is offline.
  ///
  /// - Parameter weights: whether the weights are needed, or only the architecture and the vocabulary.
  /// - Throws: `PresetError`, `HubError`, `FileError`.
  package func locate(_ argument: String, hub: Hub, weights: Bool) throws -> PresetLocation {
    let kind = Path.kind(argument)
    if isDirectory(argument) { return location(ofDirectory: argument, nil, named: argument) }
    if let preset = self[argument] {
      if let embedded = preset.embedded {
        return PresetLocation(
          displayName: preset.name, source: .embedded(preset.name), embedded: embedded, config: preset.config,
          isLowercase: preset.isLowercase)
      }
      if let directory = preset.directory {
        guard Path.isDirectory(directory) else { throw PresetError.noDirectory(name: preset.name, path: directory) }
        return location(ofDirectory: directory, preset, named: preset.name)
      }
    }
    if kind != nil, self[argument] == nil { throw FileError.notDirectory(path: argument) }
    return try location(of: try place(argument), named: argument, hub, weights: weights)
  }

  /// Downloads all files of a preset, or of a repository by address, and returns their directory. Requests a branch's
  /// newest commit even if the branch is in the cache, since it may have moved.
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

  /// Whether an argument names a directory. A directory without a model does not override a preset.
  package func isDirectory(_ argument: String) -> Bool {
    Path.isDirectory(argument)
      && (self[argument] == nil || Path.isFile(Path.join(argument, ModelFiles.configuration)))
  }

  private func fetch(
    _ place: Place, named name: String, _ parts: [HubPart], refresh: Bool = false, _ hub: Hub
  ) throws -> String {
    do {
      return try hub.snapshot(
        place.address, preset: place.preset, aliases: place.aliases, parts: parts, refresh: refresh)
    } catch let error as HubError where error.isOutage {
      // The message names both the cache and the host.
      throw PresetError.notAtHand(name: name, cache: hub.environment.cacheDirectory, cause: error)
    }
  }

  /// Whether all files of a preset are available without a download.
  public func isAvailable(_ preset: Preset, hub: Hub) -> Bool {
    if let directory = preset.directory { return Path.isDirectory(directory) }
    guard let address = preset.address else { return true }
    return hub.cached(address, aliases: preset.aliases, parts: HubPart.allCases) != nil
  }

  /// An address on the hub, with its presets.
  package struct Place {
    package let address: HubAddress
    /// The preset at exactly this revision.
    package let preset: Preset?
    /// A preset of the same repository.
    let related: Preset?
    package var aliases: [String] { (preset ?? related)?.aliases ?? [] }
  }

  /// The address of a preset on the hub, or of `hf://…`.
  package func place(_ argument: String) throws -> Place {
    if let preset = self[argument], let address = preset.address {
      return Place(address: address, preset: preset, related: preset)
    }
    guard let address = try HubAddress.parse(argument) else { throw unknown(argument) }
    return place(address)
  }

  package func place(_ address: HubAddress) -> Place {
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

  /// The preset with the most similar name, regardless of case, dashes and underscores.
  private func nearest(to name: String) -> String? {
    func plain(_ name: String) -> String { String(name.lowercased().map { $0 == "-" ? "_" : $0 }) }
    let names = presets.map { plain($0.name) }
    guard let nearest = EditDistance.nearest(to: plain(name), among: names) else { return nil }
    return names.firstIndex(of: nearest).map { presets[$0].name }
  }

  /// The `OWNER/NAME` in a link to a page of the hub, or in a misspelled address.
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

  private func location(ofDirectory directory: String, _ preset: Preset?, named name: String) -> PresetLocation {
    PresetLocation(
      displayName: name, source: .directory(directory), embedded: nil, config: nil, isLowercase: preset?.isLowercase)
  }

  private func location(
    of place: Place, named name: String, _ hub: Hub, weights: Bool
  ) throws -> PresetLocation {
    var parts: [HubPart] = [.configuration, .vocabulary]
    if weights { parts.append(.weights) }
    // The registry has the preset's architecture, so a vocabulary in the cache is enough.
    let known = weights ? nil : place.preset?.config
    let nearby = known.flatMap { _ in hub.cached(place.address, aliases: place.aliases, parts: [.vocabulary]) }
    let directory = try nearby ?? fetch(place, named: name, parts, hub)
    return PresetLocation(
      displayName: name, source: .hub(place.address, directory: directory), embedded: nil, config: known,
      isLowercase: (place.preset ?? place.related)?.isLowercase)
  }
}
