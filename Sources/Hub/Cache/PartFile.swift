import Files
import Glibc

/// A blob on its way: `<etag>.<8 hex digits>.incomplete`, which a later run goes on with.
///
/// Other clients give each process a name of its own at random. Ours are `6d6c6d30`, `6d6c6d31`, … ("mlm0", "mlm1"): the first
/// that no running process holds is taken with what it has. Where the file system has no locks, nobody can know who holds what:
/// there each process has a name at random too, and what it leaves is not gone on with.
final class PartFile {
  let path: String
  private let descriptor: Int32
  /// Bytes that are there.
  private(set) var count: Int

  /// - Parameter blob: the path that the content is to have in the end.
  init(for blob: String) throws {
    for digit in "0123456789abcdef" {
      let path = "\(blob).6d6c6d3\(digit).incomplete"
      guard let descriptor = try Self.open(path) else { continue }
      let isLocked = flock(descriptor, LOCK_EX | LOCK_NB) == 0
      let hasLocks = isLocked || errno == EWOULDBLOCK || errno == EINTR
      var info = stat()
      if isLocked, FileIdentity.isSame(descriptor, path), fstat(descriptor, &info) == 0 {
        self.path = path
        self.descriptor = descriptor
        count = Int(info.st_size)
        return
      }
      if !hasLocks, fstat(descriptor, &info) == 0, info.st_size == 0 { unlink(path.cPath) }
      close(descriptor)
      if !hasLocks { break }
    }
    let number = String(UInt32.random(in: .min ... .max), radix: 16)
    path = "\(blob).\(String(repeating: "0", count: 8 - number.utf8.count))\(number).incomplete"
    guard let descriptor = try Self.open(path, O_EXCL) else { throw FileError.alreadyExists(path: path) }
    self.descriptor = descriptor
    count = 0
  }

  /// Nil for a part that is there and may not be written to: another user's.
  private static func open(_ path: String, _ more: Int32 = 0) throws -> Int32? {
    let descriptor = Glibc.open(path.cPath, O_RDWR | O_CREAT | O_CLOEXEC | more, 0o666)
    if descriptor >= 0 { return descriptor }
    let code = errno
    guard code == EACCES || code == EROFS || code == EPERM else {
      throw FileError.system("create", path, writing: true, code: code)
    }
    if code != EROFS, Path.kind(path) != nil { return nil }
    throw HubError.cacheNotWritable(path: Path.parent(path))
  }

  deinit { close(descriptor) }

  func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    guard let start = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let length = pwrite(descriptor, start + done, bytes.count - done, off_t(count + done))
      if length < 0 && errno == EINTR { continue }
      guard length > 0 else { throw .system("write", path, writing: true) }
      done += length
    }
    count += done
  }

  /// Forgets what is there.
  func clear() throws(FileError) {
    guard ftruncate(descriptor, 0) == 0 else { throw .system("write", path, writing: true) }
    count = 0
  }

  /// Takes the file away.
  func discard() { unlink(path.cPath) }

  /// Gives the finished content its name, flushed to the disk.
  func move(to place: String) throws(FileError) {
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
      throw .system("write", path, writing: true)
    }
    guard rename(path.cPath, place.cPath) == 0 else {
      // Where locks are not honoured, another process may have moved this same content already.
      if errno == ENOENT, Path.isFile(place) { return }
      throw .system("write", place, writing: true)
    }
  }

  /// Free bytes of the file system, for whoever is not its administrator.
  var freeSpace: Int? {
    var info = statvfs()
    // Some file systems of networks do not know.
    guard fstatvfs(descriptor, &info) == 0, info.f_blocks > 0 else { return nil }
    return Int(clamping: UInt64(info.f_bavail).multipliedReportingOverflow(by: UInt64(info.f_frsize)).partialValue)
  }
}
