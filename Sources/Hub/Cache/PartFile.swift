import Files
import Glibc

/// A partial blob, `<etag>.<8 hex digits>.incomplete`, which a later run continues.
///
/// Other clients choose a random name for each process. This one uses `6d6c6d30`, `6d6c6d31`, … ("mlm0", "mlm1"), and
/// continues the first part that no running process has locked. If the file system does not support locks, it chooses a
/// random name too, and such a part is never continued.
final class PartFile {
  let path: String
  private let descriptor: Int32
  /// The bytes downloaded so far.
  private(set) var count: Int

  /// Opens a part to continue, or creates one.
  /// - Parameter blob: the final path of the content.
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

  /// Opens a part; nil if it exists but is not writable, as it belongs to another user.
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

  /// Removes the content.
  func clear() throws(FileError) {
    guard ftruncate(descriptor, 0) == 0 else { throw .system("write", path, writing: true) }
    count = 0
  }

  /// Deletes the file.
  func discard() { unlink(path.cPath) }

  /// Flushes the complete content to the disk and moves it to its final path.
  func move(to path: String) throws(FileError) {
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
      throw .system("write", self.path, writing: true)
    }
    guard rename(self.path.cPath, path.cPath) == 0 else {
      // If locks are not honored, another process may have moved the same content already.
      if errno == ENOENT, Path.isFile(path) { return }
      throw .system("write", path, writing: true)
    }
  }

  /// The bytes of the file system that are free for users other than root; nil if unknown.
  var freeSpace: Int? {
    var info = statvfs()
    // Some network file systems do not report it.
    guard fstatvfs(descriptor, &info) == 0, info.f_blocks > 0 else { return nil }
    return Int(clamping: UInt64(info.f_bavail).multipliedReportingOverflow(by: UInt64(info.f_frsize)).partialValue)
  }
}
