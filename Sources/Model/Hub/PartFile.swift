import Glibc

/// A blob on its way: `<etag>.<8 hex digits>.incomplete`, which a later run goes on with.
///
/// Other clients give each process a name of its own at random. Ours are `6d6c6d30`, `6d6c6d31`, … ("mlm0", "mlm1"): the first
/// that no running process holds is taken with what it has. Each write says its own place in the file, so that even where locks
/// are not honoured two processes only write the same bytes twice.
final class PartFile {
  let path: String
  private let descriptor: Int32
  /// Bytes that are there.
  private(set) var count: Int

  /// - Parameter blob: the path that the content is to have in the end.
  init(for blob: String) throws {
    for digit in "0123456789abcdef" {
      let path = "\(blob).6d6c6d3\(digit).incomplete"
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else {
        let code = errno
        if code == EACCES || code == EROFS || code == EPERM {
          throw HubError.cacheNotWritable(path: Path.parent(blob))
        }
        throw FileError.system("create", path, writing: true, code: code)
      }
      // Where there are no locks (`ENOLCK`), the first name is as good as any.
      let isHeld = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
      var info = stat()
      guard !isHeld, FileIdentity.isSame(descriptor, path), fstat(descriptor, &info) == 0 else {
        close(descriptor)
        continue
      }
      self.path = path
      self.descriptor = descriptor
      count = Int(info.st_size)
      return
    }
    throw FileError.alreadyExists(path: "\(blob).6d6c6d3f.incomplete")
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
  func discard() { unlink(path) }

  /// Gives the finished content its name, flushed to the disk.
  func move(to place: String) throws(FileError) {
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
      throw .system("write", path, writing: true)
    }
    guard rename(path, place) == 0 else {
      // Where locks are not honoured, another process may have moved this same content already.
      if errno == ENOENT, Path.isFile(place) { return }
      throw .system("write", place, writing: true)
    }
  }

  /// Free bytes of the file system, for whoever is not its administrator.
  var freeSpace: Int? {
    var info = statvfs()
    guard fstatvfs(descriptor, &info) == 0 else { return nil }
    return Int(clamping: UInt64(info.f_bavail).multipliedReportingOverflow(by: UInt64(info.f_frsize)).partialValue)
  }
}
