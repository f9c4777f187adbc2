import Files
import Glibc
import Model

/// The CSV history while it grows, written row by row to a file that can be watched.
final class HistoryLog {
  private let path: String
  private let descriptor: Int32
  /// Whether the file was made for it and nothing was written yet.
  private var isNew: Bool

  /// Opens the file, or makes it. What is in it stays until `begin`.
  ///
  /// - Parameter path: the value of `--log`, or `history.csv` where it grows.
  init(path: String) throws(HistoryError) {
    self.path = path
    var descriptor = open(path.cPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    isNew = descriptor >= 0
    if descriptor < 0 { descriptor = open(path.cPath, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666) }
    self.descriptor = descriptor
    guard descriptor >= 0 else { throw .cannotWrite(.log, path: path, code: errno) }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    if isNew { unlink(path.cPath) }
  }

  /// Replaces what is in the file by the header and the rows of a training that goes on.
  func begin(_ rows: [HistoryRow] = []) throws(HistoryError) {
    // What is no regular file has no length.
    guard ftruncate(descriptor, 0) == 0 || errno == EINVAL else { throw .cannotWrite(.log, path: path, code: errno) }
    try write(HistoryRow.header + rows.map(\.line).joined())
    isNew = false
  }

  func append(_ row: HistoryRow) throws(HistoryError) { try write(row.line) }

  private func write(_ text: String) throws(HistoryError) {
    let code = writeAll(Array(text.utf8), to: descriptor)
    if code != 0 { throw .cannotWrite(.log, path: path, code: code) }
  }
}

/// Why the history of a training could not be written.
enum HistoryError: ModelError, Equatable {
  enum Part: Equatable { case log, events }

  case cannotWrite(Part, path: String, code: Int32)

  var message: String {
    switch self {
    case .cannotWrite(let part, let path, let code):
      let what = part == .log ? "the log" : "TensorBoard's events to"
      return "cannot write \(what) \(path): \(systemMessage(code))"
    }
  }
}
