import Files
import Glibc
import Model
import Tensor
import Text

/// What makes a training visible: gets every report, and keeps the line of progress, the history as a table and as a
/// picture, and TensorBoard's events.
final class TrainingMonitor {
  struct Options {
    /// The epochs there will be; nil where only the steps are limited.
    var epochs: Int?
    /// Rows of the history between the ends of epochs, in steps.
    var interval = 100
    /// A file that gets the rows as they come; nil: `history.csv` in the folder.
    var log: String?
    /// Where TensorBoard looks for events; nil for none.
    var tensorBoard: String?
    /// Says where the time goes, too.
    var isVerbose = false
    /// The title of the picture.
    var title = ""
    /// The threads that compute.
    var threads = 1
    /// What a training that goes on had written to its history, and where it goes on. Rows of later steps, which will be done again, are
    /// dropped.
    var earlier: (rows: [HistoryRow], state: TrainingState)?
  }

  /// The picture is drawn at each row, but no more often than this: seconds.
  static let pictureInterval = 2.0

  private let options: Options
  private let console: Console
  private let progress: Progress
  private let clock: () -> Double
  /// nil for none.
  private let log: HistoryLog?
  private let events: EventFile?
  /// Where history.svg is kept up to date; nil for nowhere.
  private let folder: String?
  private(set) var curve: HistoryCurve
  /// The row of the last step that was reported, which the end of an epoch replaces: a step has one row.
  private var pending: (row: HistoryRow, tokensPerSecond: Double?)?
  private var pace: TrainingPace
  private var lastPicture = -Double.infinity
  private var hasWarned = false
  private let start: Double

  /// - Parameter folder: where `history.csv` and `history.svg` grow, which is there already; nil for nowhere.
  /// - Throws: where the log or the events cannot be written.
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
      // Where an epoch is only evaluated yet, its row is to be replaced.
      if let last = rows.last, last.step == state.step {
        rows.removeLast()
        pending = (last, nil)
      }
    }
    curve = HistoryCurve(rows)
    // Nothing of an earlier run is lost before all that can fail has been opened.
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

  /// To be called with every report of a training.
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
        console.warning("no token was masked in epoch \(report.epoch): nothing was learned in it")
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

  /// To be called after the last report.
  func finish() throws(HistoryError) {
    progress.finish()
    try addPendingRow()
  }

  /// The rows so far, for a checkpoint.
  var rows: [HistoryRow] { curve.points.map(\.row) + [pending?.row].compactMap { $0 } }

  /// What belongs into the model directory.
  var files: [(name: String, bytes: [UInt8])] {
    let csv = HistoryRow.header + rows.map(\.line).joined()
    return [("history.csv", Array(csv.utf8)), ("history.svg", Array(picture.utf8))]
  }

  /// Takes away what has grown in a folder.
  static func removeFiles(in folder: String) {
    for name in ["history.csv", "history.svg"] { unlink((folder + "/" + name).cPath) }
  }

  // MARK: A row

  private func addPendingRow() throws(HistoryError) {
    guard let (row, tokensPerSecond) = pending else { return }
    pending = nil
    let point = curve.append(row)
    do throws(HistoryError) {
      try log?.append(row)
    } catch {
      // Who asked for a log relies on it; the other one is kept in memory, and written with the model.
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

  /// A history that cannot be written is no reason to stop a training.
  private func warnOnce(_ error: any ModelError) {
    if !hasWarned { console.warning(error.message) }
    hasWarned = true
  }

  // MARK: Where the time goes

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
