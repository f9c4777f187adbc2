import Files
import Glibc

/// Standard output or another descriptor, with a buffer. A failed write is an error.
final class Output {
  let descriptor: Int32
  private let capacity: Int
  private var buffer: [UInt8] = []

  init(descriptor: Int32 = STDOUT_FILENO, capacity: Int = 1 << 16) {
    self.descriptor = descriptor
    self.capacity = capacity
    buffer.reserveCapacity(capacity + capacity / 4)
  }

  func write(_ text: String) throws(OutputError) { try write(text.utf8) }

  func write(_ bytes: some Collection<UInt8>) throws(OutputError) {
    buffer.append(contentsOf: bytes)
    if buffer.count >= capacity { try flush() }
  }

  /// Writes the buffer. After a failure, the bytes are dropped, so that the failure is reported once.
  func flush() throws(OutputError) {
    guard !buffer.isEmpty else { return }
    let code = writeAll(buffer, to: descriptor)
    buffer.removeAll(keepingCapacity: true)
    if code == EPIPE { throw .closed }
    if code != 0 { throw .failed(code: code) }
  }
}

enum OutputError: Error, Equatable {
  /// The reader has closed the pipe: the program ends silently.
  case closed
  case failed(code: Int32)

  var message: String {
    switch self {
    case .closed: "standard output was closed"
    case .failed(let code): "cannot write to standard output: \(systemMessage(code))"
    }
  }
}

/// Writes all bytes and returns 0, or the code of the error.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
  bytes.withUnsafeBytes { bytes in
    var start = 0
    while start < bytes.count {
      let count = write(descriptor, bytes.baseAddress.map { $0 + start }, bytes.count - start)
      if count > 0 {
        start += count
      } else if count == 0 || errno == EAGAIN {
        // Some parents pass a pipe in non-blocking mode: wait until there is room.
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&waiting, 1, -1)
      } else if errno != EINTR {
        return errno
      }
    }
    return 0
  }
}

/// The system's message for an error code, in lower case: "no space left on device".
func systemMessage(_ code: Int32) -> String {
  let text = FileError.text(of: code)
  // Only the first letter changes, as in "Input/output error".
  return text.prefix(1).lowercased() + text.dropFirst()
}
