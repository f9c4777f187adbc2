import Files

/// The cache that all clients of the hub share, read-only and without network access.
///
///     models--OWNER--NAME/refs/<branch>              text: a commit
///     models--OWNER--NAME/snapshots/<commit>/<file>
package struct HubCache: Sendable {
  /// The folder of the cache.
  package let root: String

  /// The cache that the environment names.
  package init(_ environment: HubEnvironment) { root = environment.cacheDirectory }

  /// The result of a search.
  package enum Answer: Equatable {
    /// The directory of the snapshot.
    case found(String)
    /// Descriptions of the missing parts, and the other revisions in the cache.
    case missing([String], others: [String])
  }

  /// Searches for a snapshot that has all parts.
  /// - Parameter aliases: other names of the repository, under which old clients stored it.
  package func find(_ address: HubAddress, aliases: [String] = [], parts: [HubPart]) -> Answer {
    var fewest: [String]?
    var others: [String] = []
    for repository in [address.repository] + aliases {
      let folder = Path.join(root, Self.folderName(repository))
      let snapshots = Path.join(folder, "snapshots")
      guard let commit = commit(address, in: folder), Path.isDirectory(Path.join(snapshots, commit)) else {
        others += ((try? Path.list(snapshots)) ?? []).filter { Path.isDirectory(Path.join(snapshots, $0)) }
        continue
      }
      let snapshot = Path.join(snapshots, commit)
      let names = parts.compactMap { $0.missing(in: snapshot) }
      if names.isEmpty { return .found(snapshot) }
      if names.count < fewest?.count ?? .max { fewest = names }
    }
    return .missing(fewest ?? parts.map(\.description), others: others)
  }

  /// `models--OWNER--NAME`.
  static func folderName(_ repository: String) -> String {
    "models--" + repository.split(separator: "/").joined(separator: "--")
  }

  /// The commit of a revision, according to the cache.
  private func commit(_ address: HubAddress, in folder: String) -> String? {
    if address.isCommit { return address.revision }
    let file = Path.join(Path.join(folder, "refs"), address.revision)
    guard Path.isFile(file), let bytes = try? FileMapping.contents(of: file) else { return nil }
    let text = String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
    return HubAddress.isName(Substring(text)) ? text : nil
  }
}
