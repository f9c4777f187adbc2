import Files
import Glibc

/// A repository's folder in the cache, to be written to in the layout that all clients of the hub share.
///
///     blobs/<etag>                          content
///     blobs/<etag>.6d6c6d3<n>.incomplete    content on its way (`PartFile`)
///     snapshots/<commit>/<file>             link to a blob
///     refs/<branch>                         text: a commit
///     .no_exist/<commit>/<file>             empty: known not to be there
///
/// Nothing is made before there is something to put in. What other clients wrote is neither deleted nor rewritten.
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

  /// Whether a file is there; a link to a blob that is gone is none.
  func has(_ file: String, at commit: String) -> Bool { Path.isFile(Path.join(snapshot(commit), file)) }

  func isKnownMissing(_ file: String, at commit: String) -> Bool {
    Path.isFile(Path.join(path, ".no_exist/\(commit)/\(file)"))
  }

  /// Makes the folder for blobs, and the tag by which backups know a cache.
  func prepare() throws {
    try makeFolder(Path.join(path, "blobs"))
    let tag = Path.join(cache, "CACHEDIR.TAG")
    // As huggingface_hub writes it. Nice to have: a cache that is not ours alone may refuse it.
    if Path.kind(tag) == nil { try? AtomicFile.write(Array(Self.tagText.utf8), to: tag) }
  }

  private static let tagText = """
    Signature: 8a477f597d28d172789f06886806bc55
    # This file is a cache directory tag created by huggingface_hub.
    # For information about cache directory tags, see:
    #	https://bford.info/cachedir/

    """

  /// Remembers that the hub has no such file. Best effort.
  func noteMissing(_ file: String, at commit: String) {
    let place = Path.join(path, ".no_exist/\(commit)/\(file)")
    guard Path.kind(place) == nil, (try? makeFolder(Path.parent(place))) != nil else { return }
    let descriptor = open(place.cPath, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
    if descriptor >= 0 { close(descriptor) }
  }

  /// Remembers which commit a branch stands at. Best effort: the snapshot is complete without.
  func writeReference(_ revision: String, commit: String) {
    let file = Path.join(path, "refs/\(revision)")
    if let old = try? FileMapping.contents(of: file), old == Array(commit.utf8) { return }
    guard (try? makeFolder(Path.parent(file))) != nil else { return }
    try? AtomicFile.write(Array(commit.utf8), to: file)
  }

  /// Puts a blob into a snapshot: a link, or a copy where links are not wanted or not possible.
  func link(_ tag: String, as file: String, at commit: String) throws {
    if try !makeLink(tag, as: file, at: commit) { try copy(blob(tag), to: Path.join(snapshot(commit), file)) }
  }

  /// Makes the link and the folders it is in.
  /// - Returns: false where links are not wanted or not possible.
  private func makeLink(_ tag: String, as file: String, at commit: String) throws -> Bool {
    let place = Path.join(snapshot(commit), file)
    try makeFolder(Path.parent(place))
    guard usesSymlinks else { return false }
    // From snapshots/<commit>/<folders>/ up to the repository's folder.
    let depth = 2 + file.utf8.count { $0 == UInt8(ascii: "/") }
    let target = String(repeating: "../", count: depth) + "blobs/\(tag)"
    // A link whose blob is gone is in the way.
    if Path.kind(place) == nil { unlink(place.cPath) }
    if symlink(target.cPath, place.cPath) == 0 { return true }
    switch errno {
    case EEXIST: return true
    case EPERM, EOPNOTSUPP, ENOSYS: return false
    case EACCES, EROFS: throw HubError.cacheNotWritable(path: Path.parent(place))
    default: throw FileError.system("write", place, writing: true)
    }
  }

  /// Puts a finished part where its content is to be: among the blobs, or into the snapshot itself.
  func place(_ part: PartFile, _ tag: String, as file: String, at commit: String) throws {
    let place = Path.join(snapshot(commit), file)
    if usesSymlinks {
      try part.move(to: blob(tag))
      FileOutput.flushDirectory(Path.join(path, "blobs"))
      if try makeLink(tag, as: file, at: commit) { return }
      // The file system has no links. The blob is new, so that nothing else needs it: a copy would only take room.
      guard rename(blob(tag).cPath, place.cPath) == 0 else { throw FileError.system("write", place, writing: true) }
    } else {
      try makeFolder(Path.parent(place))
      try part.move(to: place)
    }
    FileOutput.flushDirectory(Path.parent(place))
  }

  private func copy(_ source: String, to place: String) throws(FileError) {
    let mapping = try FileMapping(path: source)
    let file = try AtomicFile(path: place)
    try file.write(mapping.bytes)
    try file.commit()
    withExtendedLifetime(mapping) {}
  }

  func makeFolder(_ path: String) throws {
    var created: [String] = []
    do throws(FileError) {
      try Path.makeDirectories(path, created: &created)
    } catch {
      if case .noSpace = error { throw error }
      throw HubError.cacheNotWritable(path: path)
    }
  }

  /// Holds the lock by which clients keep out of each other's way, while `body` runs. Only a courtesy: where there are no locks,
  /// both fetch, and one of two equal files stays.
  /// - Parameter onWait: called once where another process has it.
  func withLock<Result>(
    _ tag: String, shouldStop: () -> Bool, onWait: () -> Void, _ body: () throws -> Result
  ) throws -> Result {
    let folder = Path.join(cache, ".locks/\(name)")
    let file = Path.join(folder, "\(tag).lock")
    guard (try? makeFolder(folder)) != nil else { return try body() }
    var isTold = false
    while true {
      var descriptor = open(file.cPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o664)
      // Another user's can be held all the same.
      if descriptor < 0, errno == EACCES { descriptor = open(file.cPath, O_RDONLY | O_CLOEXEC) }
      guard descriptor >= 0 else { return try body() }
      defer { close(descriptor) }
      // Whatever the umask: others of the group must be able to take it, as they can take huggingface_hub's.
      fchmod(descriptor, 0o664)
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
        // Others delete the file when they are done: then this lock is on nothing.
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
