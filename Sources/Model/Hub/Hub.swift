/// The hub as this program reaches it: its cache first, and the network for what is missing there.
public struct Hub: Sendable {
  public let environment: HubEnvironment
  /// Whether the network must not be touched.
  public let isOffline: Bool
  /// Told what goes on, on the thread that called.
  let onEvent: @Sendable (HubEvent) -> Void
  /// Asked several times a second while a file is fetched; true ends it with `HubError.interrupted`, the part kept.
  let shouldStop: @Sendable () -> Bool

  /// - Parameter isOffline: nil: as `HF_HUB_OFFLINE` says.
  public init(
    _ environment: HubEnvironment, isOffline: Bool? = nil, onEvent: @escaping @Sendable (HubEvent) -> Void = { _ in },
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) {
    self.environment = environment
    self.isOffline = isOffline ?? environment.isOffline
    self.onEvent = onEvent
    self.shouldStop = shouldStop
  }

  /// The cache alone, in the place it has without variables.
  public static let offline = Hub(HubEnvironment([:]), isOffline: true)
}

/// What goes on while files are fetched.
public enum HubEvent: Sendable {
  /// - received: bytes that are there, those of an earlier try included.
  case progress(DownloadProgress)
  /// A file is complete and checked.
  case fetched(file: String, size: Int)
  /// A line for people: a retry, a wait, an old copy that is used.
  case note(String)
}

public struct DownloadProgress: Sendable, Equatable {
  public let file: String
  public let received: Int
  /// Nil where the hub did not say.
  public let size: Int?
  /// Of this try, smoothed.
  public let bytesPerSecond: Double
  public var secondsLeft: Double? {
    guard let size, bytesPerSecond > 0 else { return nil }
    return Double(size - received) / bytesPerSecond
  }
}

/// What a model needs of a repository, each by the files that can provide it.
public enum HubPart: Sendable, CaseIterable {
  case configuration, vocabulary, weights

  var files: [String] {
    switch self {
    case .configuration: ["config.json"]
    case .vocabulary: ["tokenizer.json", "vocab.txt"]
    case .weights: ["model.safetensors", "model.safetensors.index.json"]
    }
  }
}

extension Hub {
  /// The directory of a snapshot that has these parts; what is missing is fetched.
  ///
  /// - Parameters:
  ///   - preset: the registry's entry for this very address, with the sizes and hashes to insist on.
  ///   - aliases: other names of the repository, under which old clients kept it.
  ///   - refresh: ask the hub what a branch stands at, even if all parts are in the cache.
  func snapshot(
    _ address: HubAddress, preset: Preset?, aliases: [String] = [], parts: [HubPart], refresh: Bool = false
  ) throws -> String {
    let cache = HubCache(environment)
    switch cache.find(address, aliases: aliases, parts: parts) {
    case .found(let directory): return directory
    case .missing(let missing, let others):
      throw HubError.notInCache(
        preset: preset?.name ?? "hf://\(address.repository)", repository: address.repository,
        revision: address.revision, missing: missing, cache: cache.root, others: others)
    }
  }

  /// The snapshot in the cache that has these parts, if any; no network is asked.
  func cached(_ address: HubAddress, aliases: [String] = [], parts: [HubPart]) -> String? {
    guard case .found(let directory) = HubCache(environment).find(address, aliases: aliases, parts: parts) else {
      return nil
    }
    return directory
  }
}
