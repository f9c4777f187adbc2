import Files
import Glibc

/// Writes a repository's folder in the cache, in the layout that all clients of the hub share.
///
///     blobs/<etag>                          content
///     blobs/<etag>.6d6c6d3<n>.incomplete    partial content (`PartFile`)
///     snapshots/<commit>/<file>             link to a blob
///     refs/<branch>                         text: a commit
///     .no_exist/<commit>/<file>             empty: the file is known to be missing on the hub
///
/// Folders are created only when there is something to put in. Files of other clients are neither deleted nor
/// rewritten.
struct CacheFolder {
  let cache: String
  let name: String
  let usesSymlinks: Bool

  init(_ cache: HubCache, _ repository: String, usesSymlinks: Bool) {
    self.cache = cache.root
    self.usesSymlinks = usesSymlinks
    name = HubCache.folderName(repository)
  }

  var path: String { Path.join(cache, name) }
  func snapshot(_ commit: String) -> String { Path.join(path, "snapshots/\(commit)") }
  func blob(_ tag: String) -> String { Path.join(path, "blobs/\(tag)") }

  /// Whether the snapshot has a file. A link to a missing blob does not count.
  func has(_ file: String, at commit: String) -> Bool { Path.isFile(Path.join(snapshot(commit), file)) }

  func isKnownMissing(_ file: String, at commit: String) -> Bool {
    Path.isFile(Path.join(path, ".no_exist/\(commit)/\(file)"))
  }

  /// Creates the folder for blobs, and the tag by which backup programs recognize a cache.
  func prepare() throws {
    try makeFolder(Path.join(path, "blobs"))
    let tag = Path.join(cache, "CACHEDIR.TAG")
    // As huggingface_hub writes it. Optional: in a shared cache, permission may be denied.
    if Path.kind(tag) == nil { try? AtomicFile.write(Array(Self.tagText.utf8), to: tag) }
  }

  private static let tagText = """
    Signature: 8a477f597d28d172789f06886806bc55
    # This file is a cache directory tag created by huggingface_hub.
    # For information about cache directory tags, see:
    #	https://bford.info/cachedir/

    """

  /// Records that a file is missing on the hub. Best effort.
  func noteMissing(_ file: String, at commit: String) {
    let marker = Path.join(path, ".no_exist/\(commit)/\(file)")
    guard Path.kind(marker) == nil, (try? makeFolder(Path.parent(marker))) != nil else { return }
    let descriptor = open(marker.cPath, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
    if descriptor >= 0 { close(descriptor) }
  }

  /// Records the commit of a branch. Best effort: the snapshot is complete without it.
  func writeReference(_ revision: String, commit: String) {
    let file = Path.join(path, "refs/\(revision)")
    if let old = try? FileMapping.contents(of: file), old == Array(commit.utf8) { return }
    guard (try? makeFolder(Path.parent(file))) != nil else { return }
    try? AtomicFile.write(Array(commit.utf8), to: file)
  }

  /// Puts a blob into a snapshot: as a link, or as a copy if links are disabled or not supported.
  func link(_ tag: String, as file: String, at commit: String) throws {
    if try !makeLink(tag, as: file, at: commit) { try copy(blob(tag), to: Path.join(snapshot(commit), file)) }
  }

  /// Creates the link and its parent folders.
  /// - Returns: false if links are disabled or not supported.
  private func makeLink(_ tag: String, as file: String, at commit: String) throws -> Bool {
    let link = Path.join(snapshot(commit), file)
    try makeFolder(Path.parent(link))
    guard usesSymlinks else { return false }
    // From snapshots/<commit>/<folders>/ up to the repository's folder.
    let depth = 2 + file.utf8.count { $0 == UInt8(ascii: "/") }
    let target = String(repeating: "../", count: depth) + "blobs/\(tag)"
    // Remove a link to a missing blob.
    if Path.kind(link) == nil { unlink(link.cPath) }
    if symlink(target.cPath, link.cPath) == 0 { return true }
    switch errno {
    case EEXIST: return true
    case EPERM, EOPNOTSUPP, ENOSYS: return false
    case EACCES, EROFS: throw HubError.cacheNotWritable(path: Path.parent(link))
    default: throw FileError.system("write", link, writing: true)
    }
  }

  /// Moves a complete part to its final path: among the blobs with a link to it, or into the snapshot itself.
  func store(_ part: PartFile, _ tag: String, as file: String, at commit: String) throws {
    let destination = Path.join(snapshot(commit), file)
    if usesSymlinks {
      try part.move(to: blob(tag))
      FileOutput.flushDirectory(Path.join(path, "blobs"))
      if try makeLink(tag, as: file, at: commit) { return }
      // The file system does not support links. Nothing else uses the new blob, so move it instead of copying it.
      guard rename(blob(tag).cPath, destination.cPath) == 0 else {
        throw FileError.system("write", destination, writing: true)
      }
    } else {
      try makeFolder(Path.parent(destination))
      try part.move(to: destination)
    }
    FileOutput.flushDirectory(Path.parent(destination))
  }

  private func copy(_ source: String, to destination: String) throws(FileError) {
    let mapping = try FileMapping(path: source)
    let file = try AtomicFile(path: destination)
    try file.write(mapping.bytes)
    try file.commit()
    withExtendedLifetime(mapping) {}
  }

  func makeFolder(_ path: String) throws {
    do throws(FileError) {
      try Path.makeDirectories(path)
    } catch {
      if case .noSpace = error { throw error }
      throw HubError.cacheNotWritable(path: path)
    }
  }

  /// Runs `body` while holding the lock that clients share for a blob. The lock only avoids duplicate downloads:
  /// without it, both clients download, and one of two equal files remains.
  /// - Parameter onWait: called once if another process holds the lock.
  func withLock<Result>(
    _ tag: String, shouldStop: () -> Bool, onWait: () -> Void, _ body: () throws -> Result
  ) throws -> Result {
    let folder = Path.join(cache, ".locks/\(name)")
    let file = Path.join(folder, "\(tag).lock")
    guard (try? makeFolder(folder)) != nil else { return try body() }
    var isTold = false
    while true {
      var descriptor = open(file.cPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o664)
      // Another user's file can be locked too.
      if descriptor < 0, errno == EACCES { descriptor = open(file.cPath, O_RDONLY | O_CLOEXEC) }
      guard descriptor >= 0 else { return try body() }
      defer { close(descriptor) }
      // Regardless of the umask, others in the group must be able to lock it, as with huggingface_hub.
      fchmod(descriptor, 0o664)
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
        // Other clients delete the file when they are done. Then this lock protects nothing.
        if !FileIdentity.isSame(descriptor, file) { continue }
        return try body()
      }
      guard errno == EWOULDBLOCK || errno == EINTR else { return try body() }
      if !isTold { onWait() }
      isTold = true
      if shouldStop() { throw HubError.interrupted(kept: nil) }
      usleep(100_000)
    }
  }
}
