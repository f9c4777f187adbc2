import Glibc

/// A file that appears complete or not at all: it is written under a temporary name in the same directory, flushed to
/// the disk and renamed.
///
/// Without `commit()`, the temporary file is removed with this object, and any file at the path stays untouched.
package final class AtomicFile {
  /// The path of the committed file.
  package let path: String
  package let temporary: String
  private var descriptor: Int32 = -1

  /// Creates the temporary file, with mode 0666 less the umask.
  package init(path: String) throws(FileError) {
    self.path = path
    temporary = Path.join(Path.parent(path), ".\(Path.name(path)).tmp-\(getpid())")
    unlink(temporary.cPath)  // left by an earlier process with the same ID
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

  /// Appends bytes to the file.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try FileOutput.write(bytes, to: descriptor, path)
  }

  /// Appends bytes to the file.
  package func write(_ bytes: [UInt8]) throws(FileError) {
    let result = bytes.withUnsafeBytes { buffer in Result { () throws(FileError) in try write(buffer) } }
    try result.get()
  }

  /// Moves the file to its path, replacing any file there.
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

/// Functions that write to descriptors and check every result.
package enum FileOutput {
  package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String) throws(FileError) {
    guard let start = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      // One call writes less than 2 GiB.
      let length = Glibc.write(descriptor, start + done, min(bytes.count - done, 1 << 30))
      if length < 0 && errno == EINTR { continue }
      guard length > 0 else { throw .system("write", path, writing: true) }
      done += length
    }
  }

  /// Flushes a file to the disk and closes it, even if the flush fails.
  package static func flush(_ descriptor: Int32, _ path: String) throws(FileError) {
    let isFlushed = fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP
    let error = FileError.system("write", path, writing: true)
    guard close(descriptor) == 0 && isFlushed else { throw isFlushed ? .system("write", path, writing: true) : error }
  }

  /// Flushes the entries of a directory to the disk. Ignores errors, as some file systems do not support this.
  package static func flushDirectory(_ path: String) {
    let descriptor = open(path.cPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
