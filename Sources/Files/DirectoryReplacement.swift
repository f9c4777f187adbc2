import Glibc

/// A directory in the making, under a hidden temporary name beside its place: it appears whole or not at all. Removed with this
/// object if not committed.
package final class DirectoryReplacement {
  /// Where it will stand, links followed.
  package let path: String
  package let temporary: String
  private var created: [String] = []
  private var isDone = false

  package init(_ path: String) throws(FileError) {
    self.path = Path.resolved(path)
    let parent = Path.parent(self.path)
    temporary = Self.temporaryName(beside: self.path)
    try Path.makeDirectories(parent, created: &created)
    Self.remove(temporary)  // of an earlier process of the same number
    guard mkdir(temporary.cPath, 0o777) == 0 else { throw .system("create", self.path, writing: true) }
  }

  deinit {
    if isDone { return }
    Self.remove(temporary)
    for directory in created.reversed() { rmdir(directory.cPath) }
  }

  /// Throws where a directory cannot be made at the path, which may be there.
  package static func checkPlace(_ resolved: String) throws(FileError) {
    var folder = Path.parent(resolved)
    while Path.kind(folder) == nil, folder != Path.parent(folder) { folder = Path.parent(folder) }
    guard Path.isDirectory(folder) else { throw FileError.notDirectory(path: folder) }
    // Only trying tells for certain.
    let trial = temporaryName(beside: Path.join(folder, Path.name(resolved)))
    guard mkdir(trial.cPath, 0o777) == 0 || errno == EEXIST else {
      throw FileError.system("write", folder, writing: true)
    }
    rmdir(trial.cPath)
  }

  private static func temporaryName(beside path: String) -> String {
    Path.join(Path.parent(path), temporaryPrefix(of: path) + String(getpid()))
  }

  private static func temporaryPrefix(of path: String) -> String { ".\(Path.name(path)).tmp-" }

  // MARK: Filling

  /// The `BlockHash` of each file so far, by its name.
  package func hashes() throws(FileError) -> [(name: String, hash: UInt64)] {
    var hashes: [(name: String, hash: UInt64)] = []
    for name in try Path.list(temporary) {
      hashes.append((name, BlockHash.whole(try FileMapping(path: Path.join(temporary, name)))))
    }
    return hashes
  }

  package func write(_ name: String, _ bytes: [UInt8]) throws(FileError) {
    try write(name) { output throws(FileError) in
      let result = bytes.withUnsafeBytes { buffer in Result { () throws(FileError) in try output(buffer) } }
      try result.get()
    }
  }

  package func write(
    _ name: String, _ body: ((UnsafeRawBufferPointer) throws(FileError) -> Void) throws(FileError) -> Void
  ) throws(FileError) {
    let shown = Path.join(path, name)  // errors name the place that the user knows
    let descriptor = open(Path.join(temporary, name).cPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .system("create", shown, writing: true) }
    do throws(FileError) {
      try body { bytes throws(FileError) in try FileOutput.write(bytes, to: descriptor, shown) }
    } catch {
      close(descriptor)
      throw error
    }
    try FileOutput.flush(descriptor, shown)
  }

  /// Puts a folder of the directory that is to be replaced into this one too, its files as links. Where the file system has no links, it
  /// is moved after the exchange.
  package func link(_ name: String) { Self.link(Path.join(path, name), Path.join(temporary, name)) }

  private static func link(_ source: String, _ target: String) {
    guard Path.isDirectory(source) else {
      _ = Glibc.link(source.cPath, target.cPath)
      return
    }
    guard mkdir(target.cPath, 0o777) == 0 else { return }
    for name in (try? Path.list(source)) ?? [] { link(Path.join(source, name), Path.join(target, name)) }
    // Whole or not at all.
    let isWhole = (try? Path.list(source)) ?? [] == (try? Path.list(target)) ?? []
    if !isWhole { remove(target) }
  }

  // MARK: Taking its place

  /// Stands between a temporary name and the number (inode) of the new directory in the name of an old one, whose files may be the
  /// user's. A directory of that name and number is the new one, a moment before it takes its place.
  private static let oldMark = "-old-"

  /// - Parameters:
  ///   - isKept: whether a file of the directory that is replaced, by its name, moves into this one.
  ///   - check: asked before a directory that is not empty is replaced.
  package func commit(keeping isKept: (String) -> Bool = { _ in false }, check: () throws -> Void = {}) throws {
    FileOutput.flushDirectory(temporary)
    let parent = Path.parent(path)
    // Works where nothing is, or an empty directory.
    if rename(temporary.cPath, path.cPath) == 0 {
      isDone = true
      FileOutput.flushDirectory(parent)
      return
    }
    guard errno == ENOTEMPTY || errno == EEXIST else { throw FileError.system("write", path, writing: true) }
    try check()
    let old = try exchange()
    isDone = true
    FileOutput.flushDirectory(parent)
    Self.move(from: old, to: path, where: isKept)
    Self.remove(old)
  }

  /// Returns where the directory that stood there is now.
  private func exchange() throws(FileError) -> String {
    let old = temporary + Self.oldMark + String(Self.number(of: temporary) ?? 0)
    guard rename(temporary.cPath, old.cPath) == 0 else { throw .system("replace", path, writing: true) }
    if Self.swap(old, path) == 0 { return old }
    let code = errno
    rename(old.cPath, temporary.cPath)
    guard code == EINVAL || code == ENOSYS else { throw .system("replace", path, writing: true, code: code) }
    // Such a file system: out of the way, in, and back if that fails.
    guard rename(path.cPath, old.cPath) == 0 else { throw .system("replace", path, writing: true) }
    guard rename(temporary.cPath, path.cPath) == 0 else {
      let error = FileError.system("replace", path, writing: true)
      rename(old.cPath, path.cPath)
      throw error
    }
    return old
  }

  private static func number(of directory: String) -> UInt64? {
    var info = stat()
    return lstat(directory.cPath, &info) == 0 ? UInt64(info.st_ino) : nil
  }

  /// Linux' renameat2 with RENAME_EXCHANGE, which the Glibc module does not show.
  package static func swap(_ a: String, _ b: String) -> Int32 {
    typealias Function = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
    guard let symbol = dlsym(nil, "renameat2") else {
      errno = ENOSYS
      return -1
    }
    return unsafeBitCast(symbol, to: Function.self)(AT_FDCWD, a.cPath, AT_FDCWD, b.cPath, 2)
  }

  /// Moves what is in one directory and not in the other.
  private static func move(from source: String, to target: String, where isMoved: (String) -> Bool) {
    for name in (try? Path.list(source)) ?? [] where isMoved(name) {
      let place = Path.join(target, name)
      if Path.kind(place) == nil { rename(Path.join(source, name).cPath, place.cPath) }
    }
  }

  // MARK: After a process that was killed

  /// Removes what such a process has left beside the path. What it had not moved yet from the directory that it replaced is moved now;
  /// of a directory in the making nothing is: it may be half-written.
  package static func recover(_ path: String, keeping isKept: (String) -> Bool = { _ in false }) {
    let path = Path.resolved(path)
    let (parent, prefix) = (Path.parent(path), temporaryPrefix(of: path))
    for name in (try? Path.list(parent)) ?? [] where name.hasPrefix(prefix) {
      let parts = name.dropFirst(prefix.count).split(separator: "-", omittingEmptySubsequences: false)
      guard let process = parts.first.flatMap({ Int32($0) }),
        process == getpid() || (kill(process, 0) != 0 && errno == ESRCH)
      else { continue }
      let left = Path.join(parent, name)
      if parts.count == 3, parts[1] == "old" {
        // Where a file system cannot exchange, between the two renames.
        if rename(left.cPath, path.cPath) == 0 { continue }
        if number(of: left).map({ String($0) != parts[2] }) ?? false { move(from: left, to: path, where: isKept) }
      }
      remove(left)
    }
  }

  /// Removes a directory and all in it. Links are removed, not followed.
  package static func remove(_ path: String) {
    var info = stat()
    guard lstat(path.cPath, &info) == 0 else { return }
    if info.st_mode & S_IFMT == S_IFDIR {
      for name in (try? Path.list(path)) ?? [] { remove(Path.join(path, name)) }
      rmdir(path.cPath)
    } else {
      unlink(path.cPath)
    }
  }
}
