/// Access to the hub: through its cache, and through the network for missing files.
public struct Hub: Sendable {
  /// The variables that locate the hub and its cache.
  public let environment: HubEnvironment
  /// Whether the network is disabled.
  public let isOffline: Bool
  /// Called for each event, on the caller's thread.
  package let onEvent: @Sendable (HubEvent) -> Void
  /// Called several times a second during a download; true ends it with `HubError.interrupted` and keeps the part.
  package let shouldStop: @Sendable () -> Bool
  /// The delay before the first retry, in seconds; each further delay is twice as long.
  var firstDelay = 0.5

  /// - Parameter isOffline: whether the network is disabled; nil: as in `HF_HUB_OFFLINE`.
  public init(
    _ environment: HubEnvironment, isOffline: Bool? = nil, onEvent: @escaping @Sendable (HubEvent) -> Void = { _ in },
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) {
    self.environment = environment
    self.isOffline = isOffline ?? environment.isOffline
    self.onEvent = onEvent
    self.shouldStop = shouldStop
  }

  /// The hub without the network: only the cache that the process's environment names.
  public static var offline: Hub { Hub(.current, isOffline: true) }
}

/// An event during a download.
public enum HubEvent: Sendable {
  /// More bytes of a file have arrived.
  case progress(DownloadProgress)
  /// A file is complete and checked.
  case fetched(file: String, size: Int)
  /// A line for the user about a retry, a wait, or the use of an old copy.
  case note(String)
}

/// The progress of a file's download.
public struct DownloadProgress: Sendable, Equatable {
  /// The file's name in the repository.
  public let file: String
  /// The bytes downloaded so far, including those of earlier attempts.
  public let received: Int
  /// The size in bytes; nil if the hub does not report it.
  public let size: Int?
  /// The download rate of this attempt, smoothed.
  public let bytesPerSecond: Double
  /// The remaining time at the current rate; nil if the rate or the size is unknown.
  public var secondsLeft: Double? {
    guard let size, bytesPerSecond > 0 else { return nil }
    return Double(size - received) / bytesPerSecond
  }
}

extension Hub {
  /// The directory of a snapshot that has these parts. Missing files are downloaded, checked and put into the cache.
  ///
  /// If the cache has all parts, no request is sent, unless `refresh` is true and the address is not a commit.
  ///
  /// - Parameters:
  ///   - preset: the registry's entry for exactly this address, with the expected sizes and hashes.
  ///   - aliases: other names of the repository, under which old clients stored it.
  ///   - refresh: whether to request a branch's newest commit even if the cache has all parts. If the hub cannot be
  ///     reached, the cached copy is used, with a note to `onEvent`.
  /// - Throws: `HubError`, `FileError`. The cache then keeps its previous content and the files that are complete.
  package func snapshot(
    _ address: HubAddress, preset: Preset?, aliases: [String] = [], parts: [HubPart], refresh: Bool = false
  ) throws -> String {
    let cache = HubCache(environment)
    let answer = cache.find(address, aliases: aliases, parts: parts)
    if case .found(let directory) = answer, address.isCommit || !refresh || isOffline { return directory }
    if isOffline, case .missing(let missing, let others) = answer {
      throw HubError.notInCache(
        repository: address.repository, revision: address.revision, missing: missing, cache: cache.root,
        others: others)
    }
    do {
      return try SnapshotFetcher(self, address, preset).fetch(parts)
    } catch let error as HubError where error.isOutage {
      guard case .found(let directory) = answer else { throw error }
      onEvent(.note("\(error.message); using the cached copy"))
      return directory
    }
  }

  /// The snapshot in the cache that has these parts; nil if there is none. Does not use the network.
  package func cached(_ address: HubAddress, aliases: [String] = [], parts: [HubPart]) -> String? {
    guard case .found(let directory) = HubCache(environment).find(address, aliases: aliases, parts: parts) else {
      return nil
    }
    return directory
  }
}
