import Glibc

/// A directory that appears complete or not at all: it is filled under a hidden temporary name next to its path.
/// Without `commit()`, it is removed with this object.
package final class DirectoryReplacement {
  /// The path of the committed directory, with links resolved.
  package let path: String
  package let temporary: String
  private var created: [String] = []
  private var isDone = false

  package init(_ path: String) throws(FileError) {
    self.path = Path.resolved(path)
    let parent = Path.parent(self.path)
    temporary = Self.temporaryName(nextTo: self.path)
    try Path.makeDirectories(parent, created: &created)
    Self.remove(temporary)  // left by an earlier process with the same ID
    guard mkdir(temporary.cPath, 0o777) == 0 else { throw .system("create", self.path, writing: true) }
  }

  deinit {
    if isDone { return }
    Self.remove(temporary)
    for directory in created.reversed() { rmdir(directory.cPath) }
  }

  /// Throws if a directory cannot be created at the path, where one may exist.
  package static func checkPlace(_ resolved: String) throws(FileError) {
    var folder = Path.parent(resolved)
    while Path.kind(folder) == nil, folder != Path.parent(folder) { folder = Path.parent(folder) }
    guard Path.isDirectory(folder) else { throw FileError.notDirectory(path: folder) }
    // Only an attempt tells for certain.
    let trial = temporaryName(nextTo: Path.join(folder, Path.name(resolved)))
    guard mkdir(trial.cPath, 0o777) == 0 || errno == EEXIST else {
      throw FileError.system("write", folder, writing: true)
    }
    rmdir(trial.cPath)
  }

  private static func temporaryName(nextTo path: String) -> String {
    Path.join(Path.parent(path), temporaryPrefix(of: path) + String(getpid()))
  }

  private static func temporaryPrefix(of path: String) -> String { ".\(Path.name(path)).tmp-" }

  // MARK: Filling

  /// The name and the `BlockHash` of each file written so far.
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
    let shown = Path.join(path, name)  // errors name the path that the user knows
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

  /// Copies a folder of the old directory into this one, with hard links for its files. If the file system does not
  /// support links, the folder is moved after the exchange.
  package func link(_ name: String) { Self.link(Path.join(path, name), Path.join(temporary, name)) }

  private static func link(_ source: String, _ target: String) {
    guard Path.isDirectory(source) else {
      _ = Glibc.link(source.cPath, target.cPath)
      return
    }
    guard mkdir(target.cPath, 0o777) == 0 else { return }
    for name in (try? Path.list(source)) ?? [] { link(Path.join(source, name), Path.join(target, name)) }
    // Complete or not at all.
    let isWhole = (try? Path.list(source)) ?? [] == (try? Path.list(target)) ?? []
    if !isWhole { remove(target) }
  }

  // MARK: Committing

  /// The separator between the temporary name and the inode of the new directory, in the name that the old directory
  /// gets. The old directory may have files of the user's. A directory with this name whose inode is that number is the
  /// new one, just before the exchange.
  private static let oldMark = "-old-"

  /// Moves the directory to its path, replacing any directory there.
  ///
  /// - Parameters:
  ///   - isKept: whether the file of a given name in the old directory moves into this one.
  ///   - check: called before a directory that is not empty is replaced.
  package func commit(keeping isKept: (String) -> Bool = { _ in false }, check: () throws -> Void = {}) throws {
    FileOutput.flushDirectory(temporary)
    let parent = Path.parent(path)
    // Succeeds if the path is free, or is an empty directory.
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

  /// Exchanges the two directories and returns the new path of the old one.
  private func exchange() throws(FileError) -> String {
    let old = temporary + Self.oldMark + String(Self.number(of: temporary) ?? 0)
    guard rename(temporary.cPath, old.cPath) == 0 else { throw .system("replace", path, writing: true) }
    if Self.swap(old, path) == 0 { return old }
    let code = errno
    rename(old.cPath, temporary.cPath)
    guard code == EINVAL || code == ENOSYS else { throw .system("replace", path, writing: true, code: code) }
    // The file system cannot exchange: move the old one away, the new one in, and the old one back if that fails.
    guard rename(path.cPath, old.cPath) == 0 else { throw .system("replace", path, writing: true) }
    guard rename(temporary.cPath, path.cPath) == 0 else {
      let error = FileError.system("replace", path, writing: true)
      rename(old.cPath, path.cPath)
      throw error
    }
    return old
  }

  /// The inode of a directory.
  private static func number(of directory: String) -> UInt64? {
    var info = stat()
    return lstat(directory.cPath, &info) == 0 ? UInt64(info.st_ino) : nil
  }

  /// Linux's renameat2 with RENAME_EXCHANGE, which the Glibc module does not declare.
  package static func swap(_ a: String, _ b: String) -> Int32 {
    typealias Function = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
    guard let symbol = dlsym(nil, "renameat2") else {
      errno = ENOSYS
      return -1
    }
    return unsafeBitCast(symbol, to: Function.self)(AT_FDCWD, a.cPath, AT_FDCWD, b.cPath, 2)
  }

  /// Moves the files that the other directory does not have.
  private static func move(from source: String, to target: String, where isMoved: (String) -> Bool) {
    for name in (try? Path.list(source)) ?? [] where isMoved(name) {
      let path = Path.join(target, name)
      if Path.kind(path) == nil { rename(Path.join(source, name).cPath, path.cPath) }
    }
  }

  // MARK: Recovery from a killed process

  /// Removes the temporary directories that a killed process left next to the path. Moves the files to keep that the
  /// process had not yet moved from the old directory. Moves nothing from an unfinished new directory, whose files may
  /// be incomplete.
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
        // The process was killed between the two renames, on a file system that cannot exchange.
        if rename(left.cPath, path.cPath) == 0 { continue }
        if number(of: left).map({ String($0) != parts[2] }) ?? false { move(from: left, to: path, where: isKept) }
      }
      remove(left)
    }
  }

  /// Removes a directory and its contents. Links are removed, not followed.
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
