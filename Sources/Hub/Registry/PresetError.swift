import Files

/// An error in the name of a preset, or in a registry of presets.
public enum PresetError: ModelError, Equatable {
  /// The name is neither a directory nor a preset.
  /// - sources: the registries that were read.
  /// - meant: the probable meaning.
  case unknown(name: String, sources: [String], meant: Guess?, known: [String])
  /// A preset cannot be downloaded, as its files are not on the hub. `place`: where they are instead.
  case notOnTheHub(name: String, place: String)
  /// The directory of a preset does not exist.
  case noDirectory(name: String, path: String)
  /// A preset cannot be verified, as some or all of its files are missing.
  case notDownloaded(name: String, missing: [String])
  /// A model is not in the cache, and cannot be downloaded.
  case notAtHand(name: String, cache: String, cause: HubError)
  /// A presets file is unreadable.
  case unreadableRegistry(file: String, why: String)
  /// A presets file is malformed.
  case malformedRegistry(file: String, what: String)

  /// The probable meaning of an unknown name.
  public enum Guess: Sendable, Equatable {
    /// A preset with a similar name.
    case preset(String)
    /// The name of a preset's repository.
    case repository(preset: String, of: String)
    /// A text in the form of a repository's name.
    case address(String)
  }

  public var kind: ErrorKind { .hub }
  public var message: String {
    switch self {
    case .unknown(let name, let sources, _, _):
      "unknown preset '\(name)': not a directory, and not in \(sources.joined(separator: " or "))"
    case .notOnTheHub(let name, let place): "'\(name)' is not on the hub: \(place)"
    case .noDirectory(let name, let path): "the preset '\(name)' is the directory \(path), which does not exist"
    case .notDownloaded(let name, let missing):
      missing.isEmpty
        ? "'\(name)' is not in the cache: nothing to verify"
        : "'\(name)' is incomplete in the cache: missing \(missing.joined(separator: ", "))"
    case .notAtHand(let name, let cache, let cause):
      "'\(name)' is not in the cache \(cache), and cannot be downloaded: \(cause.message)"
    case .unreadableRegistry(let file, let why):
      "cannot read the presets file: \(why.hasPrefix(file) ? "" : "\(file): ")\(why)"
    case .malformedRegistry(_, let what): "malformed presets file: \(what)"
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
        "that is the repository of the preset \(preset); its address is hf://\(repository)"
      case .address(let repository): "for a repository of the hub, write hf://\(repository)"
      case nil: "the presets are \(Self.list(known)); a model directory or hf://OWNER/NAME is accepted too"
      }
    case .notOnTheHub: "load it by that name; it needs no download"
    case .noDirectory: "a relative 'directory' in a presets file starts at that file's own folder"
    case .notDownloaded: "download it first"
    case .notAtHand(_, _, let cause): cause.hint
    case .unreadableRegistry: "MLM_PRESETS names a file of presets in addition to the built-in ones"
    case .malformedRegistry:
      "minimal example: {\"presets\": [{\"name\": \"NAME\", \"repository\": \"OWNER/NAME\", \"revision\": \"main\"}]}"
    }
  }

  /// The names, or the first twenty of them.
  private static func list(_ names: [String]) -> String {
    names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", …" : "")
  }
}
