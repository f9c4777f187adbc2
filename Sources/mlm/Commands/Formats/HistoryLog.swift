import Glibc
import Model

/// The CSV history while it grows: kept for `history.csv` in the model directory, and with `--log` also written row by row
/// to a file that can be watched.
final class HistoryLog {
  /// The whole history so far.
  private(set) var text: String
  private let path: String?
  private let descriptor: Int32

  /// - Parameters:
  ///   - path: the value of `--log`. A file that is there is replaced.
  ///   - past: the history of the training that is gone on with.
  init(path: String?, past: String? = nil) throws(HistoryError) {
    self.path = path
    text = past ?? FitHistory.header
    guard let path else {
      descriptor = -1
      return
    }
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .cannotWrite(path: path, code: errno) }
    try write(text)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func append(_ report: TrainingReport) throws(HistoryError) {
    let row = FitHistory.row(report)
    text += row
    try write(row)
  }

  private func write(_ text: String) throws(HistoryError) {
    guard let path, descriptor >= 0 else { return }
    let code = writeAll(Array(text.utf8), to: descriptor)
    if code != 0 { throw .cannotWrite(path: path, code: code) }
  }
}
