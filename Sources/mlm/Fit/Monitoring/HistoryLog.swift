import Files
import Glibc
import Model

/// The CSV history during a training, written row by row to a file that other programs can follow.
final class HistoryLog {
  private let path: String
  private let descriptor: Int32
  /// Whether this log created the file and nothing has been written yet.
  private var isNew: Bool

  /// Opens or creates the file. Its content is kept until `begin`.
  ///
  /// - Parameter path: the value of `--log`, or the path of `history.csv` during the training.
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

  /// Replaces the content of the file by the header and the rows of a resumed training.
  func begin(_ rows: [HistoryRow] = []) throws(HistoryError) {
    // EINVAL: not a regular file, which has no length.
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

/// The reasons why the history of a training could not be written.
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
