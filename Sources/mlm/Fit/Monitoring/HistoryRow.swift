import Model
import Text

/// A row of `history.csv`, which holds the values of one report, with the columns of CONTRACT.
struct HistoryRow: Equatable {
  static let header = "epoch,step,samples,tokens,loss,accuracy,learning_rate,val_loss,val_accuracy,seconds\n"

  /// `samples` and `tokens` are totals over all epochs so far.
  var epoch, step, samples, tokens: Int
  /// Means over the epoch so far; nil if no token was masked.
  var loss, accuracy: Double?
  var learningRate: Double
  /// nil if nothing was evaluated, or no token was masked.
  var validationLoss, validationAccuracy: Double?
  /// Seconds since the training began.
  var seconds: Double
  /// The weight of the means: that of the epoch's masked tokens so far. Not in the file; nil if unknown.
  var maskedWeight: Double?
}

extension HistoryRow {
  init(_ report: TrainingReport) {
    (epoch, step, samples, tokens) = (report.epoch, report.step, report.samples, report.tokens)
    (loss, accuracy) = (report.means?.loss, report.means?.accuracy)
    (learningRate, maskedWeight) = (Double(report.learningRate), report.maskedWeight)
    (validationLoss, validationAccuracy) = (report.validation?.means?.loss, report.validation?.means?.accuracy)
    seconds = report.seconds
  }

  /// Returns the rows of a `history.csv` up to a step. If a step has several rows, the last one counts.
  ///
  /// - Parameter weights: the weights of the rows' means; unknown for rows beyond them.
  static func rows(csv: String, weights: [Double] = [], upTo limit: Int = .max) -> [HistoryRow] {
    var (rows, count) = ([HistoryRow](), 0)
    for line in csv.utf8.split(separator: UInt8(ascii: "\n")) {
      guard var row = HistoryRow(line: String(decoding: line, as: UTF8.self)) else { continue }
      row.maskedWeight = count < weights.count ? weights[count] : nil
      count += 1
      guard row.step <= limit else { continue }
      if rows.last?.step == row.step { rows.removeLast() }
      rows.append(row)
    }
    return rows
  }

  /// Parses a line of the file, without its newline; nil if it is not a row, such as the header or a truncated line.
  init?(line: some StringProtocol) {
    let fields = line.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
    guard fields.count == 10, let epoch = Int(fields[0]), let step = Int(fields[1]), let samples = Int(fields[2]),
      let tokens = Int(fields[3]), let learningRate = Double(fields[6]), let seconds = Double(fields[9])
    else { return nil }
    // Empty, or a number.
    let means = [4, 5, 7, 8].map { Double(fields[$0]) }
    for (index, mean) in zip([4, 5, 7, 8], means) where mean == nil && !fields[index].isEmpty { return nil }
    self.init(
      epoch: epoch, step: step, samples: samples, tokens: tokens, loss: means[0], accuracy: means[1],
      learningRate: learningRate, validationLoss: means[2], validationAccuracy: means[3], seconds: seconds)
  }

  /// The line of the file, with its newline.
  var line: String {
    func number(_ value: Double?) -> String { value.map { FloatText.significant($0, digits: 9) } ?? "" }
    let fields = [
      String(epoch), String(step), String(samples), String(tokens), number(loss), number(accuracy),
      number(learningRate), number(validationLoss), number(validationAccuracy), Decimal.fixed(seconds, 3),
    ]
    return fields.joined(separator: ",") + "\n"
  }
}

/// Computes loss and accuracy between reports from the means over the epoch so far that the reports contain.
///
/// The mean over a long epoch hardly changes near its end. With W the weight of the epoch so far, the mean since the
/// previous report is before + (now − before) · W / ΔW.
struct IntervalMeans {
  struct Interval {
    var loss, accuracy, weight: Double
  }

  private var epoch = 0
  private var before = (loss: 0.0, accuracy: 0.0, weight: 0.0)

  /// - Parameters:
  ///   - means: the means of the epoch so far; nil if no token was masked in it.
  ///   - weight: the weight of the means: masked tokens, or a number proportional to them.
  /// - Returns: nil if no token was masked since the previous report.
  mutating func next(epoch: Int, means: (loss: Double, accuracy: Double)?, weight: Double) -> Interval? {
    if epoch != self.epoch { (self.epoch, before) = (epoch, (0, 0, 0)) }
    let more = weight - before.weight
    guard more > 0, let (loss, accuracy) = means else { return nil }
    // A mean that is not finite is skipped; the next report then covers its interval.
    defer { if loss.isFinite { before = (loss, accuracy, weight) } }
    let factor = weight / more
    return Interval(
      loss: before.loss + (loss - before.loss) * factor,
      accuracy: before.accuracy + (accuracy - before.accuracy) * factor, weight: more)
  }
}

/// Rows in the order of steps, each with loss and accuracy since the previous row.
struct HistoryCurve {
  struct Point {
    var row: HistoryRow
    /// nil if no token was masked since the previous row.
    var interval: IntervalMeans.Interval?
  }

  private(set) var points: [Point] = []
  private var means = IntervalMeans()
  /// Tokens before the current epoch.
  private var tokensBefore = 0
  /// Whether the weight of a row is unknown, so that the number of tokens, which is about proportional, replaces it.
  private let weighsByTokens: Bool

  init(_ rows: [HistoryRow] = []) {
    weighsByTokens = rows.contains { $0.maskedWeight == nil }
    for row in rows { append(row) }
  }

  /// - Parameter row: a row of a later step than all previous ones.
  @discardableResult
  mutating func append(_ row: HistoryRow) -> Point {
    if let last = points.last?.row, last.epoch != row.epoch { tokensBefore = last.tokens }
    let means = row.loss.flatMap { loss in row.accuracy.map { (loss: loss, accuracy: $0) } }
    let tokens = Double(row.tokens - tokensBefore)
    let interval = self.means.next(
      epoch: row.epoch, means: means, weight: weighsByTokens ? tokens : row.maskedWeight ?? tokens)
    points.append(Point(row: row, interval: interval))
    return points[points.count - 1]
  }
}
