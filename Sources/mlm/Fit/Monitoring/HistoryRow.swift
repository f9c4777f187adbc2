import Model
import Text

/// A row of `history.csv`: how training stood at a report, with the columns of CONTRACT.
struct HistoryRow: Equatable {
  static let header = "epoch,step,samples,tokens,loss,accuracy,learning_rate,val_loss,val_accuracy,seconds\n"

  /// `samples` and `tokens` are those of all epochs so far.
  var epoch, step, samples, tokens: Int
  /// Means over the epoch so far; nil where no token was masked.
  var loss, accuracy: Double?
  var learningRate: Double
  /// nil where nothing was evaluated, or no token of it is masked.
  var validationLoss, validationAccuracy: Double?
  /// Since training began.
  var seconds: Double
  /// What the means are over: the weight of the epoch's masked tokens so far. Not in the file; nil where it is not known.
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

  /// The rows of a `history.csv`, as far as a step; of several of a step the last.
  ///
  /// - Parameter weights: what the rows' means are over; rows beyond them do not know.
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

  /// A line of the file, without its end; nil for what is no row, such as the header or a line that was cut short.
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

  /// - Parameters:
  ///   - means: of the epoch so far; nil where no token was masked in it.
  ///   - weight: what they are over: masked tokens, or what they are a share of.
  /// - Returns: nil where no token was masked since the report before.
  mutating func next(epoch: Int, means: (loss: Double, accuracy: Double)?, weight: Double) -> Interval? {
    if epoch != self.epoch { (self.epoch, before) = (epoch, (0, 0, 0)) }
    let more = weight - before.weight
    guard more > 0, let (loss, accuracy) = means else { return nil }
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
    /// nil where no token was masked since the row before.
    var interval: IntervalMeans.Interval?
  }

  private(set) var points: [Point] = []
  private var means = IntervalMeans()
  /// Tokens before the epoch at hand.
  private var tokensBefore = 0
  /// Whether the weights of rows are not known: the tokens seen stand for the masked ones, of which they are about equal shares.
  private let weighsByTokens: Bool

  init(_ rows: [HistoryRow] = []) {
    weighsByTokens = rows.contains { $0.maskedWeight == nil }
    for row in rows { append(row) }
  }

  /// - Parameter row: of a later step than all before.
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
