import Foundation

/// A repository of the test hub: commits with their files, and references to commits.
public struct HubRepository: Sendable {
  /// The users that may read the repository.
  public enum Access: Sendable, Equatable {
    case everybody
    /// Without this token, the repository seems not to exist.
    case holder(of: String)
    /// No user has access yet: 403 with a token, 401 without.
    case gated
  }

  /// `OWNER/NAME`, or `NAME`.
  public var name: String
  public var access = Access.everybody
  /// The files by commit and path.
  public var commits: [String: [String: HubFile]]
  /// The commits of branches and tags.
  public var references: [String: String]

  /// A repository with one commit, to which `main` refers.
  public init(_ name: String, commit: String = Self.commit(1), files: [String: HubFile]) {
    self.name = name
    commits = [commit: files]
    references = ["main": commit]
  }

  /// The files of a folder; the weights are large files.
  public init(_ name: String, commit: String = Self.commit(1), folder: String) throws {
    var files: [String: HubFile] = [:]
    for path in try FileManager.default.contentsOfDirectory(atPath: folder) {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: folder).appendingPathComponent(path))
      files[path] = HubFile(Array(bytes), isLarge: path.hasSuffix(".safetensors"))
    }
    self.init(name, commit: commit, files: files)
  }

  /// A made-up commit: 40 hexadecimal digits.
  public static func commit(_ number: Int) -> String { Hash.sha1(Array("commit \(number)".utf8)) }

  /// The commit of a revision.
  func commit(of revision: String) -> String? {
    commits[revision] == nil ? references[revision] : revision
  }
}

/// A file of the test hub.
public struct HubFile: Sendable {
  public let bytes: [UInt8]
  /// Whether the file is in the large-file storage (LFS or Xet), and is named by its SHA-256 instead of git's object
  /// ID.
  public let isLarge: Bool
  public let etag: String

  public init(_ bytes: [UInt8], isLarge: Bool = false) {
    self.bytes = bytes
    self.isLarge = isLarge
    etag = isLarge ? Hash.sha256(bytes) : Hash.gitBlob(bytes)
  }

  public init(_ text: String) { self.init(Array(text.utf8)) }

  /// A large file of pseudorandom bytes, always the same ones (splitmix64).
  public static func generated(_ size: Int, seed: UInt64 = 1, isLarge: Bool = true) -> HubFile {
    var state = seed
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size + 8)
    while bytes.count < size {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      z ^= z >> 31
      for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: z >> UInt64(shift))) }
    }
    return HubFile(Array(bytes.prefix(size)), isLarge: isLarge)
  }
}
