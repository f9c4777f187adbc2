import Model

/// A row of `history.csv`: how training stood at a report, with the columns of CONTRACT.
struct HistoryRow: Equatable {
  static let header = "epoch,step,samples,tokens,loss,accuracy,learning_rate,val_loss,val_accuracy,seconds\n"

  /// `samples` and `tokens` are those of all epochs so far.
  var epoch, step, samples, tokens: Int
  /// Means over the epoch so far.
  var loss, accuracy: Double
  var learningRate: Double
  /// nil where nothing was evaluated.
  var validationLoss, validationAccuracy: Double?
  /// Since training began.
  var seconds: Double
}

extension HistoryRow {
  init(_ report: TrainingReport) {
    (epoch, step, samples, tokens) = (report.epoch, report.step, report.samples, report.tokens)
    (loss, accuracy, learningRate) = (report.loss, report.accuracy, Double(report.learningRate))
    (validationLoss, validationAccuracy) = (report.validation?.loss, report.validation?.accuracy)
    seconds = report.seconds
  }

  /// A line of the file, without its end; nil for what is no row, such as the header or a line that was cut short.
  init?(line: some StringProtocol) {
    let fields = line.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
    guard fields.count == 10, let epoch = Int(fields[0]), let step = Int(fields[1]), let samples = Int(fields[2]),
      let tokens = Int(fields[3]), let loss = Double(fields[4]), let accuracy = Double(fields[5]),
      let learningRate = Double(fields[6]), let seconds = Double(fields[9])
    else { return nil }
    self.init(
      epoch: epoch, step: step, samples: samples, tokens: tokens, loss: loss, accuracy: accuracy,
      learningRate: learningRate, validationLoss: Double(fields[7]), validationAccuracy: Double(fields[8]),
      seconds: seconds)
  }

  /// The line of the file, with its end.
  var line: String {
    func number(_ value: Double?) -> String { value.map { FloatText.significant($0, digits: 9) } ?? "" }
    let fields = [
      String(epoch), String(step), String(samples), String(tokens), number(loss), number(accuracy),
      number(learningRate), number(validationLoss), number(validationAccuracy), Decimal.fixed(seconds, 3),
    ]
    return fields.joined(separator: ",") + "\n"
  }
}

/// What the loss and the accuracy were between reports, where these tell means over the epoch so far.
///
/// Such a mean hardly moves late in a long epoch. With W the weight of the epoch so far, the mean since the report before is
/// before + (now − before) · W / ΔW.
struct IntervalMeans {
  struct Interval {
    var loss, accuracy, weight: Double
  }

  private var epoch = 0
  private var before = (loss: 0.0, accuracy: 0.0, weight: 0.0)

  /// - Parameter weight: what the means of the epoch so far are over: masked tokens, or what they are a share of.
  /// - Returns: nil where nothing has come since the report before.
  mutating func next(epoch: Int, loss: Double, accuracy: Double, weight: Double) -> Interval? {
    if epoch != self.epoch { (self.epoch, before) = (epoch, (0, 0, 0)) }
    let more = weight - before.weight
    guard more > 0 else { return nil }
    // A mean of nothing is no number; what it stood for is then left to the report that follows.
    defer { if loss.isFinite { before = (loss, accuracy, weight) } }
    let factor = weight / more
    return Interval(
      loss: before.loss + (loss - before.loss) * factor,
      accuracy: before.accuracy + (accuracy - before.accuracy) * factor, weight: more)
  }
}

/// Rows in the order of steps, each with what loss and accuracy were since the row before.
struct HistoryCurve {
  struct Point {
    var row: HistoryRow
    /// nil where a row has told the same steps already.
    var interval: IntervalMeans.Interval?
  }

  private(set) var points: [Point] = []
  private var means = IntervalMeans()
  /// Tokens before the epoch at hand.
  private var tokensBefore = 0

  init() {}

  /// The rows of a `history.csv`, as far as a step.
  init(csv: String, upTo step: Int = .max) {
    for line in csv.utf8.split(separator: UInt8(ascii: "\n")) {
      if let row = HistoryRow(line: String(decoding: line, as: UTF8.self)), row.step <= step { append(row) }
    }
  }

  @discardableResult
  mutating func append(_ row: HistoryRow) -> Point {
    if let last = points.last?.row, last.epoch != row.epoch { tokensBefore = last.tokens }
    let interval = means.next(
      epoch: row.epoch, loss: row.loss, accuracy: row.accuracy, weight: Double(row.tokens - tokensBefore))
    points.append(Point(row: row, interval: interval))
    return points[points.count - 1]
  }
}
