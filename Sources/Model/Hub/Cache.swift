/// A repository of the hub, and a branch, tag or commit of it.
public struct HubAddress: Sendable, Equatable {
  /// `OWNER/NAME`, or `NAME` as old repositories are called.
  public let repository: String
  public let revision: String

  public init(repository: String, revision: String) {
    self.repository = repository
    self.revision = revision
  }

  /// Reads `hf://OWNER/NAME[@REVISION]`; nil where the text does not begin with `hf://`.
  static func parse(_ text: String) throws(HubError) -> HubAddress? {
    guard text.hasPrefix("hf://") else { return nil }
    let parts = text.dropFirst(5).split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let names = parts[0].split(separator: "/", omittingEmptySubsequences: false)
    let revision = parts.count > 1 ? parts[1] : "main"
    let steps = revision.split(separator: "/", omittingEmptySubsequences: false)
    guard names.count <= 2, names.allSatisfy(isName), steps.allSatisfy(isName) else {
      throw .malformedAddress(text: text)
    }
    return HubAddress(repository: String(parts[0]), revision: String(revision))
  }

  /// Whether a text may be a part of a repository's or revision's name. It cannot lead out of a folder.
  static func isName(_ text: Substring) -> Bool {
    !text.isEmpty && text != "." && text != ".."
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }

  var isCommit: Bool {
    revision.utf8.count == 40
      && revision.utf8.allSatisfy { $0 &- UInt8(ascii: "0") < 10 || $0 &- UInt8(ascii: "a") < 6 }
  }
}

/// The cache that all clients of the hub share. Only looked into: nothing is made, and no network is asked.
///
///     models--OWNER--NAME/refs/<branch>              text: a commit
///     models--OWNER--NAME/snapshots/<commit>/<file>
public struct HubCache: Sendable {
  public let root: String

  public init(_ environment: HubEnvironment) { root = environment.cacheDirectory }

  enum Answer: Equatable {
    /// The directory of the snapshot.
    case found(String)
    /// The parts that are missing, in words, and the revisions that the cache has.
    case missing([String], others: [String])
  }

  /// Looks for a snapshot that has all parts.
  /// - Parameter aliases: other names of the repository, under which old clients kept it.
  func find(_ address: HubAddress, aliases: [String] = [], parts: [HubPart]) -> Answer {
    var fewest: [String]?
    var others: [String] = []
    for repository in [address.repository] + aliases {
      let folder = Path.join(root, "models--" + repository.split(separator: "/").joined(separator: "--"))
      let snapshots = Path.join(folder, "snapshots")
      guard let commit = commit(address, in: folder), Path.isDirectory(Path.join(snapshots, commit)) else {
        others += ((try? Path.list(snapshots)) ?? []).filter { Path.isDirectory(Path.join(snapshots, $0)) }
        continue
      }
      let snapshot = Path.join(snapshots, commit)
      let missing = parts.filter { part in !part.files.contains { Path.isFile(Path.join(snapshot, $0)) } }
      if missing.isEmpty { return .found(snapshot) }
      let names = missing.map { $0.files.joined(separator: " or ") }
      if names.count < fewest?.count ?? .max { fewest = names }
    }
    return .missing(fewest ?? parts.map { $0.files.joined(separator: " or ") }, others: others)
  }

  /// The commit that a revision names in the cache.
  private func commit(_ address: HubAddress, in folder: String) -> String? {
    if address.isCommit { return address.revision }
    let file = Path.join(Path.join(folder, "refs"), address.revision)
    guard Path.isFile(file), let bytes = try? FileMapping.contents(of: file) else { return nil }
    let text = String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
    return HubAddress.isName(Substring(text)) ? text : nil
  }
}
