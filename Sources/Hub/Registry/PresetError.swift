import Files

/// What can be wrong with the name of a preset, or with a registry of presets.
public enum PresetError: ModelError, Equatable {
  /// - sources: the registries that were read.
  /// - meant: what was probably meant.
  case unknown(name: String, sources: [String], meant: Guess?, known: [String])
  /// A preset whose files are to be fetched, and that has none on the hub.
  case notOnTheHub(name: String, place: String)
  /// A preset of a registry that is a directory, which is not there.
  case noDirectory(name: String, path: String)
  /// A preset that is to be verified, and is not there, or only in part.
  case notDownloaded(name: String, missing: [String])
  /// A model that is neither in the cache nor to be had from the hub.
  case notAtHand(name: String, cache: String, cause: HubError)
  /// A file of presets that cannot be read.
  case unreadableRegistry(file: String, why: String)
  /// A file of presets that does not have the form of one.
  case malformedRegistry(file: String, what: String)

  /// What an unknown name was probably meant to be.
  public enum Guess: Sendable, Equatable {
    /// A preset of a similar name.
    case preset(String)
    /// A name of the repository where a preset is.
    case repository(preset: String, of: String)
    /// The form of a repository's name.
    case address(String)
  }

  public var kind: ErrorKind { .hub }
  public var message: String {
    switch self {
    case .unknown(let name, let sources, _, _):
      "no model is called '\(name)': there is no directory of that name, and no preset in "
        + sources.joined(separator: " or ")
    case .notOnTheHub(let name, let place): "'\(name)' is not on the hub: \(place)"
    case .noDirectory(let name, let path): "the preset '\(name)' is the directory \(path), which is not there"
    case .notDownloaded(let name, let missing):
      missing.isEmpty
        ? "'\(name)' is not in the cache, so that there is nothing to verify"
        : "'\(name)' is not whole in the cache: there is no \(missing.joined(separator: ", no "))"
    case .notAtHand(let name, let cache, let cause):
      "'\(name)' is not in the cache \(cache), and cannot be fetched: \(cause.message)"
    case .unreadableRegistry(let file, let why):
      "the registry of presets cannot be read: \(why.hasPrefix(file) ? "" : "\(file): ")\(why)"
    case .malformedRegistry(_, let what): "the registry of presets is malformed: \(what)"
    }
  }

  public var location: DataLocation? {
    if case .malformedRegistry(let file, _) = self { DataLocation(file: file) } else { nil }
  }

  public var hint: String? {
    switch self {
    case .unknown(_, _, let guess, let known):
      switch guess {
      case .preset(let name): "did you mean '\(name)'? The presets are \(Self.list(known))"
      case .repository(let preset, let repository):
        "that is the repository of the preset \(preset); by address it is hf://\(repository)"
      case .address(let repository): "a repository of the hub is written hf://\(repository)"
      case nil: "the presets are \(Self.list(known)); or give a model directory, or hf://OWNER/NAME"
      }
    case .notOnTheHub: "load it by that name; it needs no download"
    case .noDirectory: "'directory' in a file of presets counts from that file's own folder"
    case .notDownloaded: "download it first"
    case .notAtHand(_, _, let cause): cause.hint
    case .unreadableRegistry: "MLM_PRESETS names a file of presets to be read besides the built-in ones"
    case .malformedRegistry:
      "{\"presets\": [{\"name\": \"NAME\", \"repository\": \"OWNER/NAME\", \"revision\": \"main\"}]} is enough"
    }
  }

  /// Names, the first of them where there are many.
  private static func list(_ names: [String]) -> String {
    names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", …" : "")
  }
}
