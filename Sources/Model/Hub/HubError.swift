/// What can be wrong with the name of a preset, or with its place in the hub cache.
public enum HubError: ModelError, Equatable {
  case unknownPreset(name: String, nearest: String?, known: [String])
  case malformedAddress(text: String)
  /// - missing: files, or what they hold.
  /// - cache: the folder looked in.
  /// - others: revisions of the repository that are in the cache.
  case notInCache(
    preset: String, repository: String, revision: String, missing: [String], cache: String, others: [String])
  case malformedRegistry(what: String)

  public var message: String {
    switch self {
    case .unknownPreset(let name, _, _): "there is neither a preset nor a directory named '\(name)'"
    case .malformedAddress(let text): "'\(text)' is not of the form hf://OWNER/NAME or hf://OWNER/NAME@REVISION"
    case .notInCache(let preset, let repository, let revision, let missing, let cache, _):
      "'\(preset)' is not in the hub cache: \(missing.joined(separator: ", ")) of \(repository) at revision \(revision) "
        + "\(missing.count == 1 ? "is" : "are") missing in \(cache)"
    case .malformedRegistry(let what): "the embedded presets.json is malformed: \(what)"
    }
  }

  public var hint: String? {
    switch self {
    case .unknownPreset(let name, let nearest, let known):
      if let nearest { return "did you mean '\(nearest)'? The presets are \(known.joined(separator: ", "))" }
      let parts = name.split(separator: "/", omittingEmptySubsequences: false)
      if parts.count == 2, parts.allSatisfy(HubAddress.isName) {
        return "a repository of the hub is written hf://\(name)"
      }
      return "the presets are \(known.joined(separator: ", ")); or give a model directory, or hf://OWNER/NAME"
    case .malformedAddress: return "for example hf://distilbert/distilbert-base-uncased"
    case .notInCache(let preset, let repository, let revision, _, _, let others):
      if let other = others.first, preset.hasPrefix("hf://") {
        return "the cache has the revision \(other): name it with hf://\(repository)@\(other)"
      }
      return "fetch it with: hf download \(repository) --revision \(revision) "
        + "config.json model.safetensors tokenizer.json tokenizer_config.json vocab.txt"
    case .malformedRegistry: return nil
    }
  }
}
