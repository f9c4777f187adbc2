import Files

/// Downloads the files of a repository that a model needs into the cache, all from one commit.
struct SnapshotFetcher {
  private let hub: Hub
  private let client: HubClient
  private let address: HubAddress
  private let preset: Preset?
  private let folder: CacheFolder

  /// - Parameter preset: the registry's entry for exactly this address.
  init(_ hub: Hub, _ address: HubAddress, _ preset: Preset?) throws {
    self.hub = hub
    self.address = address
    self.preset = preset
    client = try HubClient(hub)
    folder = CacheFolder(
      HubCache(hub.environment), address.repository, usesSymlinks: hub.environment.usesSymlinks)
  }

  /// Downloads the missing files.
  /// - Returns: the snapshot's directory.
  func fetch(_ parts: [HubPart]) throws -> String {
    let commit = try pinnedCommit()
    let snapshot = Snapshot(fetcher: self, commit: commit)
    let isKeras = try snapshot.fetchConfiguration()
    if parts.contains(.vocabulary) { try isKeras ? snapshot.fetchKerasVocabulary() : snapshot.fetchVocabulary() }
    if parts.contains(.weights) { try isKeras ? snapshot.fetchKerasWeights() : snapshot.fetchWeights() }
    // This comes last: the branch always leads to a complete snapshot.
    if !address.isCommit { folder.writeReference(address.revision, commit: commit) }
    return folder.snapshot(commit)
  }

  /// The commit of all files, even if the branch moves during the download.
  private func pinnedCommit() throws -> String {
    if address.isCommit { return address.revision }
    switch try client.information(on: ModelFiles.configuration, of: address) {
    case .found(let information): return information.commit
    case .missing:
      throw HubError.fileNotFound(
        file: ModelFiles.configuration, repository: address.repository, revision: address.revision)
    }
  }

  /// The files of one commit while they are downloaded.
  private struct Snapshot {
    let fetcher: SnapshotFetcher
    let commit: String
    private var address: HubAddress { HubAddress(repository: fetcher.address.repository, revision: commit) }

    init(fetcher: SnapshotFetcher, commit: String) {
      self.fetcher = fetcher
      self.commit = commit
    }

    /// - Returns: whether the repository is a KerasHub preset.
    func fetchConfiguration() throws -> Bool {
      try require(ModelFiles.configuration)
      return ModelFiles.isKerasHub(directory: fetcher.folder.snapshot(commit))
    }

    func fetchVocabulary() throws {
      // Optional files come before the vocabulary, which marks the part as complete.
      _ = try fetch("tokenizer_config.json")
      if fetcher.preset?.files.isEmpty ?? true { _ = try fetch("special_tokens_map.json") }
      // The registry's list decides if there is one; otherwise one of the two files is enough.
      let known = ["vocab.txt", "tokenizer.json"].filter { fetcher.preset?.file($0) != nil }
      let listed = known.isEmpty ? nil : known
      var hasAny = false
      for file in listed ?? ["tokenizer.json", "vocab.txt"] where listed != nil || !hasAny {
        if try fetch(file) { hasAny = true }
      }
      guard hasAny else {
        throw HubError.noVocabulary(repository: address.repository, revision: fetcher.address.revision)
      }
    }

    func fetchWeights() throws {
      if try fetch(ModelFiles.weights) { return }
      guard try fetch(ModelFiles.index) else {
        throw HubError.noWeights(repository: address.repository, revision: fetcher.address.revision)
      }
      let index = Path.join(fetcher.folder.snapshot(commit), ModelFiles.index)
      let shards = HubPart.shards(inIndex: index)
      // The names are untrusted: none may lead out of the snapshot.
      if let name = shards.first(where: { !ModelFiles.isName(ofShard: $0) }) {
        throw HubError.malformedIndex(file: index, shard: name)
      }
      for shard in shards { try require(shard) }
    }

    func fetchKerasVocabulary() throws {
      try require("tokenizer.json")
      try require(ModelFiles.kerasVocabulary)
    }

    func fetchKerasWeights() throws {
      if try fetch("task.json") { _ = try fetch(ModelFiles.kerasTask) }
      try require(ModelFiles.kerasWeights)
    }

    private func require(_ file: String) throws {
      guard try fetch(file) else {
        throw HubError.fileNotFound(
          file: file, repository: address.repository, revision: fetcher.address.revision)
      }
    }

    /// Downloads a file unless the snapshot has it.
    /// - Returns: false if the hub does not have the file.
    private func fetch(_ file: String) throws -> Bool {
      let (folder, hub) = (fetcher.folder, fetcher.hub)
      if folder.has(file, at: commit) { return true }
      if folder.isKnownMissing(file, at: commit) { return false }
      switch try fetcher.client.information(on: file, of: address) {
      case .missing(let answered):
        if answered == commit { folder.noteMissing(file, at: commit) }
        return false
      case .found(let information):
        let expected = fetcher.preset?.file(file)
        try Self.check(information, file, against: expected)
        try folder.prepare()
        try folder.withLock(
          information.tag, shouldStop: hub.shouldStop,
          onWait: { hub.onEvent(.note("waiting for another process to download \(file)")) }
        ) {
          if folder.has(file, at: commit) { return }  // the other process did
          try BlobFetcher(hub: hub, client: fetcher.client, folder: folder, address: address)
            .fetch(information, file, sha256: expected?.sha256)
        }
        return true
      }
    }

    /// Checks before the download that the hub announces the hash that the registry has for the pinned revision.
    private static func check(
      _ information: HubClient.FileInformation, _ file: String, against expected: Preset.File?
    ) throws(HubError) {
      // Sizes are not checked: some of the registry's are computed, not observed.
      if let sha256 = expected?.sha256, Digest(tag: information.tag) == .sha256, sha256 != information.tag {
        throw .unexpectedDigest(file: file, expected: sha256, announced: information.tag)
      }
    }
  }
}

/// Downloads the content of one file and checks it.
private struct BlobFetcher {
  let hub: Hub
  let client: HubClient
  let folder: CacheFolder
  /// The address of the commit.
  let address: HubAddress
  private var commit: String { address.revision }

  /// - Parameter sha256: the hash of the content in the registry.
  func fetch(_ information: HubClient.FileInformation, _ file: String, sha256: String?) throws {
    let blob = folder.blob(information.tag)
    if Path.isFile(blob), information.size == nil || Path.size(blob) == information.size {
      return try folder.link(information.tag, as: file, at: commit)
    }
    let part = try PartFile(for: blob)
    let resumed = part.count
    try checkRoom(for: file, information, part)
    try fetch(information, file, part)
    do {
      try check(part, information, file, sha256)
    } catch let error as HubError {
      // Only content that is known to be wrong is deleted.
      if case .unexpectedDigest = error { part.discard() }
      guard case .wrongDigest = error else { throw error }
      try part.clear()
      guard resumed > 0 else {
        part.discard()
        throw error
      }
      // The earlier part may have been corrupt: download all of it once more.
      hub.onEvent(.note("\(file): the partial download from an earlier attempt was corrupt; starting over"))
      try fetch(information, file, part)
      do {
        try check(part, information, file, sha256)
      } catch let error as HubError {
        switch error {
        case .wrongDigest, .unexpectedDigest: part.discard()
        default: break
        }
        throw error
      }
    }
    let size = part.count
    try folder.store(part, information.tag, as: file, at: commit)
    hub.onEvent(.fetched(file: file, size: size))
  }

  private func fetch(_ information: HubClient.FileInformation, _ file: String, _ part: PartFile) throws {
    var information = information
    do {
      while true {
        let before = part.count
        do {
          return try client.fetch(information, file, into: part)
        } catch let error as HubError {
          // Storage addresses expire. After some progress it is worth requesting a new one.
          guard case .refused = error, part.count > before,
            case .found(let renewed) = try client.information(on: file, of: address), renewed.tag == information.tag
          else { throw error }
          information = renewed
        }
      }
    } catch {
      // An empty part is useless.
      if part.count == 0 { part.discard() }
      throw error
    }
  }

  private func checkRoom(
    for file: String, _ information: HubClient.FileInformation, _ part: PartFile
  ) throws(HubError) {
    guard let size = information.size, let free = part.freeSpace, size - part.count > free else { return }
    if part.count == 0 { part.discard() }
    throw .noRoom(file: file, needed: size - part.count, free: free, path: Path.parent(part.path))
  }

  private func check(
    _ part: PartFile, _ information: HubClient.FileInformation, _ file: String, _ sha256: String?
  ) throws {
    let announced = Digest(tag: information.tag)
    if announced == nil, sha256 == nil {
      hub.onEvent(.note("\(file): the hub announces no hash; checked only the size"))
    }
    if let announced {
      let found = try announced.ofFile(part.path, shouldStop: hub.shouldStop)
      if found != information.tag {
        throw HubError.wrongDigest(file: file, digest: announced, expected: information.tag, found: found)
      }
    }
    if let sha256, announced != .sha256 {
      let found = try Digest.sha256.ofFile(part.path, shouldStop: hub.shouldStop)
      if found == sha256 { return }
      // If the hub announced a hash, the content is what the hub has.
      throw announced == nil
        ? HubError.wrongDigest(file: file, digest: .sha256, expected: sha256, found: found)
        : HubError.unexpectedDigest(file: file, expected: sha256, announced: found)
    }
  }
}
