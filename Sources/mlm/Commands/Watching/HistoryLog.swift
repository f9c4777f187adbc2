import Glibc
import Model

/// The CSV history while it grows: kept for `history.csv` in the model directory, and written row by row to a file that can
/// be watched.
final class HistoryLog {
  /// The whole history so far.
  private(set) var text: String
  private let path: String?
  private let descriptor: Int32

  /// - Parameters:
  ///   - path: the value of `--log`, or `history.csv` where it grows; nil for none. A file that is there is replaced.
  ///   - earlier: the lines of a training that goes on, until then.
  init(path: String?, earlier: [String] = []) throws(HistoryError) {
    self.path = path
    text = HistoryRow.header + earlier.joined()
    guard let path else {
      descriptor = -1
      return
    }
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .cannotWrite(.log, path: path, code: errno) }
    try write(text)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func append(_ row: HistoryRow) throws(HistoryError) {
    let line = row.line
    text += line
    try write(line)
  }

  private func write(_ text: String) throws(HistoryError) {
    guard let path, descriptor >= 0 else { return }
    let code = writeAll(Array(text.utf8), to: descriptor)
    if code != 0 { throw .cannotWrite(.log, path: path, code: code) }
  }
}
