import Foundation

/// A hub cache in the layout of clients: blobs named by their hashes, and snapshots of links to them.
public struct FakeCache {
  public let path: String
  public init(path: String) { self.path = path }

  public static let commit = String(repeating: "c", count: 40)

  /// Adds files to a snapshot. Blobs of weights are named by SHA-256, all others by git's object ID.
  /// - Returns: the snapshot's directory.
  @discardableResult
  public func add(_ repository: String, commit: String = Self.commit, _ files: [String: Data]) throws -> String {
    let folder = path + "/models--" + repository.replacingOccurrences(of: "/", with: "--")
    let snapshot = folder + "/snapshots/" + commit
    for directory in [folder + "/blobs", snapshot] {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }
    for (name, data) in files {
      let blob = name.hasSuffix(".safetensors") ? Hash.sha256(Array(data)) : Hash.gitBlob(Array(data))
      try data.write(to: URL(fileURLWithPath: folder + "/blobs/" + blob))
      let link = URL(fileURLWithPath: snapshot + "/" + name)
      try FileManager.default.createDirectory(at: link.deletingLastPathComponent(), withIntermediateDirectories: true)
      let depth = name.filter { $0 == "/" }.count
      try FileManager.default.createSymbolicLink(
        atPath: link.path, withDestinationPath: String(repeating: "../", count: depth + 2) + "blobs/" + blob)
    }
    return snapshot
  }

  public static func files(of directory: URL) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
      files[name] = try Data(contentsOf: directory.appendingPathComponent(name))
    }
    return files
  }
}
