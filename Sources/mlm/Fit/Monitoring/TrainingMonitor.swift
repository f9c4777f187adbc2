import Files
import Glibc
import Model
import Tensor
import Text

/// Receives every report of a training and updates the progress line, the history as a table and as a chart, and
/// TensorBoard's events.
final class TrainingMonitor {
  struct Options {
    /// The total number of epochs; nil if only the steps are limited.
    var epochs: Int?
    /// Steps between rows of the history, in addition to the rows at the ends of epochs.
    var interval = 100
    /// The file to write rows to; nil: `history.csv` in the folder.
    var log: String?
    /// The directory for TensorBoard's events; nil for none.
    var tensorBoard: String?
    /// Whether to show the shares of the time spent in matrix products and waiting.
    var isVerbose = false
    /// The title of the chart.
    var title = ""
    /// The number of threads that compute.
    var threads = 1
    /// The history of a resumed training, and the state that it continues from. Rows of later steps, which are computed
    /// again, are dropped.
    var earlier: (rows: [HistoryRow], state: TrainingState)?
  }

  /// The minimum number of seconds between two updates of the chart.
  static let pictureInterval = 2.0

  private let options: Options
  private let console: Console
  private let progress: Progress
  private let clock: () -> Double
  /// nil for none.
  private let log: HistoryLog?
  private let events: EventFile?
  /// The folder of history.svg; nil for none.
  private let folder: String?
  private(set) var curve: HistoryCurve
  /// The row of the last reported step. The end of an epoch replaces it, because a step has only one row.
  private var pending: (row: HistoryRow, tokensPerSecond: Double?)?
  private var pace: TrainingPace
  private var lastPicture = -Double.infinity
  private var hasWarned = false
  private let start: Double

  /// - Parameter folder: the existing folder for `history.csv` and `history.svg` during the training; nil for none.
  /// - Throws: if the log or the events cannot be written.
  init(
    _ options: Options, folder: String?, console: Console, clock: @escaping () -> Double = { MonotonicClock.seconds }
  ) throws(HistoryError) {
    self.options = options
    self.console = console
    self.folder = folder
    self.clock = clock
    progress = Progress(console: console, clock: clock)
    start = clock()
    pace = TrainingPace(from: options.earlier?.state)
    var rows: [HistoryRow] = []
    if let (earlier, state) = options.earlier {
      rows = earlier.filter { $0.step <= state.step }
      // If only the evaluation of an epoch is left, its row will be replaced.
      if let last = rows.last, last.step == state.step {
        rows.removeLast()
        pending = (last, nil)
      }
    }
    curve = HistoryCurve(rows)
    // Files of an earlier run are kept until everything that can fail has been opened.
    log = try (options.log ?? folder.map { $0 + "/history.csv" }).map { path throws(HistoryError) in
      try HistoryLog(path: path)
    }
    events = try options.tensorBoard.map { folder throws(HistoryError) in
      try EventFile(folder: folder, resumingAt: options.earlier?.state.step)
    }
    do throws(HistoryError) {
      try log?.begin(rows)
    } catch {
      events?.discard()
      throw error
    }
    if options.isVerbose { ProductClock.start() }
  }

  /// Handles a report. Call it with every report of a training.
  func show(_ report: TrainingReport) throws(HistoryError) {
    if let pending, pending.row.step != report.step { try addPendingRow() }
    switch report.moment {
    case .step:
      pace.add(report)
      progress.update {
        ProgressLine.step(
          report, epochs: options.epochs, means: pace.means, secondsLeft: pace.secondsLeft,
          productShare: productShare, waitingShare: waitingShare(report))
      }
      if report.step % options.interval == 0 { pending = (HistoryRow(report), report.tokensPerSecond) }
    case .validation(let done, let all):
      progress.update { "epoch \(report.epoch)  validated \(done) of \(plural(all, "sample"))" }
    case .epochEnd:
      if report.maskedTokens == 0 {
        console.warning("no token was masked in epoch \(report.epoch), so nothing was learned in it")
      }
      pending = (HistoryRow(report), report.tokensPerSecond)
      try addPendingRow()
      progress.milestone(ProgressLine.epoch(report, epochs: options.epochs))
      if options.isVerbose,
        let spent = ProgressLine.timeSpent(productShare: productShare, waitingShare: waitingShare(report))
      {
        console.line(spent)
      }
    }
  }

  /// Ends the progress line and the history. Call it after the last report.
  func finish() throws(HistoryError) {
    progress.finish()
    try addPendingRow()
  }

  /// The rows so far, for a checkpoint.
  var rows: [HistoryRow] { curve.points.map(\.row) + [pending?.row].compactMap { $0 } }

  /// The files for the model directory.
  var files: [(name: String, bytes: [UInt8])] {
    let csv = HistoryRow.header + rows.map(\.line).joined()
    return [("history.csv", Array(csv.utf8)), ("history.svg", Array(picture.utf8))]
  }

  /// Removes the history files in a folder.
  static func removeFiles(in folder: String) {
    for name in ["history.csv", "history.svg"] { unlink((folder + "/" + name).cPath) }
  }

  // MARK: Rows

  private func addPendingRow() throws(HistoryError) {
    guard let (row, tokensPerSecond) = pending else { return }
    pending = nil
    let point = curve.append(row)
    do throws(HistoryError) {
      try log?.append(row)
    } catch {
      // A requested log must be complete. The default one is kept in memory and written with the model.
      if options.log != nil { throw error }
      warnOnce(error)
    }
    try events?.write(
      [
        ("loss", point.interval?.loss), ("accuracy", point.interval?.accuracy), ("learning_rate", row.learningRate),
        ("val_loss", row.validationLoss), ("val_accuracy", row.validationAccuracy),
        ("tokens_per_second", tokensPerSecond),
      ], step: row.step)
    drawPicture()
  }

  private var picture: String { HistoryChart(title: options.title, points: curve.points).svg() }

  private func drawPicture() {
    guard let folder, clock() - lastPicture >= Self.pictureInterval else { return }
    do {
      try AtomicFile.write(Array(picture.utf8), to: folder + "/history.svg")
    } catch {
      warnOnce(error)
    }
    lastPicture = clock()
  }

  /// Warns once, because a history that cannot be written should not stop the training.
  private func warnOnce(_ error: any ModelError) {
    if !hasWarned { console.warning(error.message) }
    hasWarned = true
  }

  // MARK: Shares of the time

  /// The share of the threads' time in matrix products.
  private var productShare: Double? {
    let seconds = (clock() - start) * Double(options.threads)
    return options.isVerbose && seconds > 0 ? min(1, ProductClock.seconds / seconds) : nil
  }

  /// The share of the time that the training waits for data.
  private func waitingShare(_ report: TrainingReport) -> Double? {
    let seconds = clock() - start
    return options.isVerbose && seconds > 0 ? min(1, report.secondsWaiting / seconds) : nil
  }
}
