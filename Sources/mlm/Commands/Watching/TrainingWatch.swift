import Glibc
import Model

/// What makes a training visible: gets every report, and keeps the line of progress, the history as a table and as a
/// picture, and TensorBoard's events.
final class TrainingWatch {
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
    /// What a training that goes on had written to `history.csv`, and the steps after which it goes on. Rows of later steps, which
    /// will be done again, are dropped.
    var earlier: (text: String, step: Int)?
  }

  /// The picture is drawn at each row, but no more often than this: seconds.
  static let pictureInterval = 2.0

  private let options: Options
  private let console: Console
  private let progress: Progress
  private let clock: () -> Double
  private let log: HistoryLog
  private let events: EventFile?
  /// Where history.svg is kept up to date; nil for nowhere.
  private let folder: String?
  private(set) var curve: HistoryCurve
  private var pace = TrainingPace()
  private var lastPicture = -Double.infinity
  private var hasWarned = false
  private let start: Double

  /// - Parameter folder: where `history.csv` and `history.svg` grow, which is there already; nil for nowhere.
  /// - Throws: where the log or the events cannot be written.
  init(
    _ options: Options, folder: String?, console: Console, clock: @escaping () -> Double = monotonicSeconds
  ) throws(HistoryError) {
    self.options = options
    self.console = console
    self.folder = folder
    self.clock = clock
    progress = Progress(console: console, clock: clock)
    start = clock()
    curve = options.earlier.map { HistoryCurve(csv: $0.text, upTo: $0.step) } ?? HistoryCurve()
    log = try HistoryLog(
      path: options.log ?? folder.map { $0 + "/history.csv" }, earlier: curve.points.map(\.row.line))
    events = try options.tensorBoard.map { folder throws(HistoryError) in
      try EventFile(folder: folder, resumingAt: options.earlier?.step)
    }
    if options.isVerbose { ProductClock.start() }
  }

  /// To be called with every report of a training.
  func show(_ report: TrainingReport) throws(HistoryError) {
    switch report.moment {
    case .step:
      pace.add(report)
      progress.update {
        ProgressLine.step(
          report, epochs: options.epochs, means: pace.means, secondsLeft: pace.secondsLeft,
          productShare: productShare, waitingShare: waitingShare(report))
      }
      if report.step % options.interval == 0 { try addRow(report) }
    case .validation(let done, let all):
      progress.update { "epoch \(report.epoch)  validated \(done) of \(Readable.plural(all, "sample"))" }
    case .epochEnd:
      if report.maskedTokens == 0 {
        console.warning("no token was masked in epoch \(report.epoch): nothing was learned in it")
      }
      try addRow(report)
      progress.milestone(ProgressLine.epoch(report, epochs: options.epochs))
      if options.isVerbose,
        let spent = ProgressLine.timeSpent(productShare: productShare, waitingShare: waitingShare(report))
      {
        console.line(spent)
      }
    }
  }

  /// Takes the live line away.
  func finish() { progress.finish() }

  /// `history.csv` so far, for a checkpoint.
  var history: String { log.text }

  /// What belongs into the model directory.
  var files: [(name: String, bytes: [UInt8])] {
    [("history.csv", Array(history.utf8)), ("history.svg", Array(picture.utf8))]
  }

  /// Takes away what has grown in a folder.
  static func removeFiles(in folder: String) {
    for name in ["history.csv", "history.svg"] { unlink(folder + "/" + name) }
  }

  // MARK: A row

  private func addRow(_ report: TrainingReport) throws(HistoryError) {
    let row = HistoryRow(report)
    let point = curve.append(row)
    do throws(HistoryError) {
      try log.append(row)
    } catch {
      // Who asked for a log relies on it; the other one is kept in memory, and written with the model.
      if options.log != nil { throw error }
      warnOnce(error)
    }
    try events?.write(
      [
        ("loss", point.interval?.loss), ("accuracy", point.interval?.accuracy), ("learning_rate", row.learningRate),
        ("val_loss", row.validationLoss), ("val_accuracy", row.validationAccuracy),
        ("tokens_per_second", report.tokensPerSecond),
      ], step: row.step)
    drawPicture()
  }

  private var picture: String { HistoryPicture(title: options.title, points: curve.points).svg() }

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
