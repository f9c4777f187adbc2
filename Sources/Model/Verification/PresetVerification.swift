import Files
import Hub
import Text

/// Verifies a model: its files by their hashes, its number of parameters, and its answers by published figures.
/// Downloads nothing.
package struct PresetVerification: Sendable {
  let registry: PresetRegistry
  let hub: Hub
  let threads: Int
  /// nil: that of each model's files.
  let precision: Precision?

  /// - Parameters:
  ///   - registry: the known presets.
  ///   - hub: the hub whose cache is searched.
  ///   - threads: the number of threads to compute with.
  ///   - precision: the precision to compute in, each with its own tolerances; nil: that of each model's files.
  package init(
    _ registry: PresetRegistry, hub: Hub, threads: Int = DistilBertMaskedLM.defaultThreads, precision: Precision? = nil
  ) {
    self.registry = registry
    self.hub = hub
    self.threads = threads
    self.precision = precision
  }

  /// A model to verify.
  package struct Target: Sendable {
    /// The name or path from the user.
    package let name: String
    /// The directory of its files; nil: the program itself.
    package let directory: String?
    /// The preset in the registry, if it is known.
    let preset: Preset?

    /// Whether the directory is a snapshot in the hub's cache.
    package var isInCache: Bool { directory.flatMap { HubAddress(snapshot: $0) } != nil }
  }

  /// Checks a located model.
  ///
  /// - Parameter report: called after each check.
  /// - Throws: if the model cannot be loaded.
  package func run(_ target: Target, report: (PresetCheck) throws -> Void) throws -> PresetVerdict {
    var (isGood, isChecked) = (true, false)
    func note(_ check: PresetCheck) throws {
      if check.outcome == .differs { isGood = false }
      if check.outcome == .ok { isChecked = true }
      try report(check)
    }
    let known = target.preset
    if let directory = target.directory {
      try FileVerifier(directory: directory, files: known?.files ?? [], shouldStop: hub.shouldStop).run(note)
    } else {
      try note(PresetCheck("files", .ok, "part of the program"))
    }
    // Wrong files need not be loaded.
    guard isGood else { return .differs }

    let model = try DistilBertMaskedLM.load(try resolved(target), precision: precision, threads: threads)
    try note(parameters(model, known))
    if !model.hasTrainedHead {
      try note(PresetCheck("head", .unchecked, "it is untrained: predict refuses the model before fit"))
    }
    if let published = known?.published, !published.isEmpty {
      for values in published { try note(check(values, of: model)) }
    } else {
      try note(PresetCheck("predictions", .unchecked, "no published figures are known for this model"))
    }
    return isGood ? (isChecked ? .ok : .unchecked) : .differs
  }

  /// Finds a model: a directory, a preset's name, or `hf://…` in the cache.
  package func locate(_ argument: String) throws -> Target {
    if registry.isDirectory(argument) {
      return Target(name: argument, directory: argument, preset: try identify(argument))
    }
    if let preset = registry[argument] {
      if preset.embedded != nil { return Target(name: argument, directory: nil, preset: preset) }
      if let directory = preset.directory {
        guard Path.isDirectory(directory) else { throw PresetError.noDirectory(name: argument, path: directory) }
        return Target(name: argument, directory: directory, preset: preset)
      }
    }
    let location = try registry.place(argument)
    switch HubCache(hub.environment).find(location.address, aliases: location.aliases, parts: HubPart.allCases) {
    case .found(let directory):
      return Target(name: argument, directory: directory, preset: try location.preset ?? identify(directory))
    case .missing(let parts, _):
      throw PresetError.notDownloaded(name: argument, missing: parts.count < HubPart.allCases.count ? parts : [])
    }
  }

  /// Returns the preset in a directory, identified by its path in a cache or by the hash of its weights.
  private func identify(_ directory: String) throws -> Preset? {
    if let address = HubAddress(snapshot: directory) { return registry.place(address).preset }
    let weights = ModelFiles.weights
    let path = Path.join(directory, weights)
    guard Path.isFile(path), let size = Path.size(path) else { return nil }
    func candidates(_ matches: (Preset.File) -> Bool) -> [Preset] {
      registry.presets.filter { $0.files.contains { $0.name == weights && $0.sha256 != nil && matches($0) } }
    }
    // Only a file of the right size is worth hashing.
    guard !candidates({ $0.size ?? size == size }).isEmpty else { return nil }
    let sum = try Digest.sha256.ofFile(path, shouldStop: hub.shouldStop)
    return candidates { $0.sha256 == sum }.first
  }

  /// Returns the located model for loading.
  private func resolved(_ target: Target) throws -> ResolvedPreset {
    guard let directory = target.directory else { return try registry.resolve(target.name, hub: hub) }
    return try ResolvedPreset(
      PresetLocation(
        displayName: target.name, source: .directory(directory), embedded: nil, config: nil,
        isLowercase: target.preset?.isLowercase), loadWeights: true)
  }

  /// Compares published figures. Those that cannot be computed (no such token, no mask in the text) also differ.
  private func check(_ values: PublishedValues, of model: DistilBertMaskedLM) throws -> PresetCheck {
    do {
      return try model.check(values)
    } catch let error as any ModelError {
      return PresetCheck(values.subject, .differs, "cannot be computed: \(error.message)")
    }
  }

  private func parameters(_ model: DistilBertMaskedLM, _ preset: Preset?) -> PresetCheck {
    let backbone = model.configuration.backboneParameterCount
    let all = model.configuration.parameterCount
    let found = "\(Count.grouped(backbone)) in the backbone, \(Count.grouped(all)) in all"
    let (expectedBackbone, expectedAll) = (preset?.backboneParameterCount, preset?.parameterCount)
    guard expectedBackbone ?? backbone == backbone, expectedAll ?? all == all else {
      let expected = [(expectedBackbone, "in the backbone"), (expectedAll, "in all")]
        .compactMap { count, scope in count.map { "\(Count.grouped($0)) \(scope)" } }
      return PresetCheck(
        "parameters", .differs, "\(found); the registry says \(expected.joined(separator: ", "))")
    }
    return PresetCheck("parameters", expectedBackbone ?? expectedAll == nil ? .unchecked : .ok, found)
  }
}
