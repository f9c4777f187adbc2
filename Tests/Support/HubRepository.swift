import Foundation

/// A repository of the test hub: commits, each with its files, and names for commits.
public struct HubRepository: Sendable {
  /// Who may read it.
  public enum Access: Sendable, Equatable {
    case everybody
    /// Without this token it looks as if it did not exist.
    case holder(of: String)
    /// Nobody was let in yet: 403 with a token, 401 without.
    case gated
  }

  /// `OWNER/NAME`, or `NAME`.
  public var name: String
  public var access = Access.everybody
  /// Commit to path to file.
  public var commits: [String: [String: HubFile]]
  /// Branch or tag to commit.
  public var references: [String: String]

  /// A repository of one commit, to which `main` points.
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

  /// The commit that a revision names.
  func commit(of revision: String) -> String? {
    commits[revision] == nil ? references[revision] : revision
  }
}

/// A file of the test hub.
public struct HubFile: Sendable {
  public let bytes: [UInt8]
  /// Whether it is kept in the storage (as LFS and Xet files are), and named by its SHA-256 instead of git's name.
  public let isLarge: Bool
  public let etag: String

  public init(_ bytes: [UInt8], isLarge: Bool = false) {
    self.bytes = bytes
    self.isLarge = isLarge
    etag = isLarge ? Hash.sha256(bytes) : Hash.gitBlob(bytes)
  }

  public init(_ text: String) { self.init(Array(text.utf8)) }

  /// A large file of bytes that look random and are always the same (splitmix64).
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
