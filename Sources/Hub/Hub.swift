/// The hub as this program reaches it: its cache first, and the network for what is missing there.
public struct Hub: Sendable {
  /// Where the hub and its cache are.
  public let environment: HubEnvironment
  /// Whether the network must not be touched.
  public let isOffline: Bool
  /// Told what goes on, on the thread that called.
  package let onEvent: @Sendable (HubEvent) -> Void
  /// Asked several times a second while a file is fetched; true ends it with `HubError.interrupted`, the part kept.
  package let shouldStop: @Sendable () -> Bool
  /// Seconds before the first new try; each further one waits twice as long.
  var firstDelay = 0.5

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

  /// The cache alone, where the process's environment says that it is.
  public static var offline: Hub { Hub(.current, isOffline: true) }
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

/// How far the download of a file has come.
public struct DownloadProgress: Sendable, Equatable {
  /// The file's name in the repository.
  public let file: String
  /// Bytes that are there, those of an earlier try included.
  public let received: Int
  /// Nil where the hub did not say.
  public let size: Int?
  /// Of this try, smoothed.
  public let bytesPerSecond: Double
  /// At the rate of now; nil where that, or the size, is not known.
  public var secondsLeft: Double? {
    guard let size, bytesPerSecond > 0 else { return nil }
    return Double(size - received) / bytesPerSecond
  }
}

extension Hub {
  /// The directory of a snapshot that has these parts; what is missing is fetched, checked and put into the cache.
  ///
  /// A pinned commit that is complete costs no request, nor does a branch unless `refresh` asks for it.
  ///
  /// - Parameters:
  ///   - preset: the registry's entry for this very address, with the sizes and hashes to insist on.
  ///   - aliases: other names of the repository, under which old clients kept it.
  ///   - refresh: ask the hub what a branch stands at, even if all parts are in the cache; where the hub cannot be reached, the
  ///     cache serves, and `onEvent` is told.
  /// - Throws: `HubError`, `FileError`. The cache is as good as before, and better by the files that were complete.
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
      onEvent(.note("\(error.message): the copy in the cache is used"))
      return directory
    }
  }

  /// The snapshot in the cache that has these parts, if any; no network is asked.
  package func cached(_ address: HubAddress, aliases: [String] = [], parts: [HubPart]) -> String? {
    guard case .found(let directory) = HubCache(environment).find(address, aliases: aliases, parts: parts) else {
      return nil
    }
    return directory
  }
}
