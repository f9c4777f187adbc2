import Glibc

/// A file that several threads can read at any offset at once. It is closed with the last reference.
///
/// The bytes are read into the caller's memory. The pages of a mapping would count as memory of the process, sixteen
/// for every page that is accessed, until the whole file does.
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

  /// Creates a temporary file without a name, which disappears with the process.
  package static func temporary(in directory: String) throws(FileError) -> OpenFile {
    let path = Path.join(directory, "mlm-XXXXXX")
    var template = path.cPath
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw .system("create", path, writing: true) }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return OpenFile(descriptor: descriptor, path: "a temporary file in \(directory)")
  }

  /// Fills the buffer with the bytes from `offset` on. Throws if the file ends earlier.
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

  /// Appends all of the bytes to those written before.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try FileOutput.write(bytes, to: descriptor, path)
  }
}
