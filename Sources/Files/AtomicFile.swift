import Glibc

/// A file that appears whole or not at all: written under a temporary name beside it, flushed to the disk, and renamed.
///
/// Without `commit()` the temporary file goes away with this object, and what stood at the path before is untouched.
package final class AtomicFile {
  /// Where it will stand.
  package let path: String
  package let temporary: String
  private var descriptor: Int32 = -1

  /// The file gets the mode 0666 less the umask, as any other.
  package init(path: String) throws(FileError) {
    self.path = path
    temporary = Path.join(Path.parent(path), ".\(Path.name(path)).tmp-\(getpid())")
    unlink(temporary.cPath)  // of an earlier process of the same number
    descriptor = open(temporary.cPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      let code = errno
      throw .system("create", code == ENOENT ? Path.parent(path) : path, writing: true, code: code)
    }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary.cPath)
  }

  /// Appends bytes to what will appear.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try FileOutput.write(bytes, to: descriptor, path)
  }

  /// Appends bytes to what will appear.
  package func write(_ bytes: [UInt8]) throws(FileError) {
    let result = bytes.withUnsafeBytes { buffer in Result { () throws(FileError) in try write(buffer) } }
    try result.get()
  }

  /// Makes the file appear, in the place of one that is there.
  package func commit() throws(FileError) {
    let open = descriptor
    descriptor = -1
    do throws(FileError) {
      try FileOutput.flush(open, path)
      guard rename(temporary.cPath, path.cPath) == 0 else { throw FileError.system("write", path, writing: true) }
    } catch {
      unlink(temporary.cPath)
      throw error
    }
    FileOutput.flushDirectory(Path.parent(path))
  }

  /// Writes a whole file at once.
  package static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    let file = try AtomicFile(path: path)
    try file.write(bytes)
    try file.commit()
  }
}

/// Writing to descriptors, with every failure looked at.
package enum FileOutput {
  package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String) throws(FileError) {
    guard let start = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      // Below the 2 GiB that one call writes at most.
      let length = Glibc.write(descriptor, start + done, min(bytes.count - done, 1 << 30))
      if length < 0 && errno == EINTR { continue }
      guard length > 0 else { throw .system("write", path, writing: true) }
      done += length
    }
  }

  /// Flushes to the disk and closes, whether or not the flush worked.
  package static func flush(_ descriptor: Int32, _ path: String) throws(FileError) {
    let isFlushed = fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP
    let error = FileError.system("write", path, writing: true)
    guard close(descriptor) == 0 && isFlushed else { throw isFlushed ? .system("write", path, writing: true) : error }
  }

  /// Makes names in a directory last. Some file systems cannot; that is no reason to fail.
  package static func flushDirectory(_ path: String) {
    let descriptor = open(path.cPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
