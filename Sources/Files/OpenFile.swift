import Glibc

/// A file that is open for reading at any place, by several threads at once. Closed when the last reference goes.
///
/// What is read goes into the caller's memory. Pages of a mapping would count as memory of the process, sixteen of them
/// for every one that is touched, until all of the file does.
package final class OpenFile: Sendable {
  package let path: String
  package let descriptor: Int32

  /// Takes over the descriptor.
  package init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  package init(path: String) throws(FileError) {
    let descriptor = open(path.cPath, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open", path) }
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }

  /// A new file that has no name any more, so that it vanishes with the process.
  package static func temporary(in directory: String) throws(FileError) -> OpenFile {
    let path = Path.join(directory, "mlm-XXXXXX")
    var template = path.cPath
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw .system("create", path, writing: true) }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return OpenFile(descriptor: descriptor, path: "a temporary file in \(directory)")
  }

  /// The bytes from `offset` on, as many as the buffer holds. That the file ends before is an error.
  package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) {
    var done = 0
    while done < buffer.count {
      guard let base = buffer.baseAddress else { return }
      let count = pread(descriptor, base + done, buffer.count - done, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw .system("read", path) }
      if count == 0 { throw .becameShorter(path: path) }
      done += count
    }
  }

  /// Writes all of the bytes behind what was written before.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try FileOutput.write(bytes, to: descriptor, path)
  }
}
