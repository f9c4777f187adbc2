import Model

/// How training stands: what the live line, the plain lines and the history say.
struct FitReport: Sendable, Equatable {
  enum Moment: Sendable, Equatable {
    /// After an optimizer step.
    case step
    /// After an epoch, its validation included.
    case epochEnd
  }

  var moment: Moment
  /// Counted from 1.
  var epoch: Int
  /// nil where only the steps are limited.
  var epochs: Int?
  /// Optimizer steps done, over all epochs.
  var step: Int
  var steps: Int
  /// Samples and tokens seen so far, over all epochs.
  var samples: Int
  var tokens: Int
  /// Per masked token, over the epoch so far.
  var loss: Double
  var accuracy: Double
  var learningRate: Double
  var validationLoss: Double?
  var validationAccuracy: Double?
  /// Since the start of training.
  var seconds: Double
  var tokensPerSecond: Double

  var secondsLeft: Double? {
    guard step > 0, steps > step else { return nil }
    return seconds / Double(step) * Double(steps - step)
  }

  /// `epoch 1/3  step 120/938  loss 2.341  accuracy 51.2 %  14.2k tokens/s  3:12 left`
  var progressLine: String {
    var parts = [
      "epoch \(epoch)" + (epochs.map { "/\($0)" } ?? ""), "step \(step)/\(steps)",
      "loss \(Decimal.fixed(loss, 3))", "accuracy \(Readable.percent(accuracy))",
    ]
    if let validationLoss { parts.append("val_loss \(Decimal.fixed(validationLoss, 3))") }
    if let validationAccuracy { parts.append("val_accuracy \(Readable.percent(validationAccuracy))") }
    parts.append("\(Readable.count(tokensPerSecond)) tokens/s")
    switch moment {
    case .step: if let secondsLeft { parts.append("\(Readable.duration(secondsLeft)) left") }
    case .epochEnd: parts.append(Readable.duration(seconds))
    }
    return parts.joined(separator: "  ")
  }
}

/// The CSV history: a row per report, with the columns of CONTRACT.
enum FitHistory {
  static let header = "epoch,step,samples,tokens,loss,accuracy,learning_rate,val_loss,val_accuracy,seconds\n"

  static func row(_ report: FitReport) -> String {
    func number(_ value: Double?) -> String { value.map { FloatText.significant($0, digits: 9) } ?? "" }
    let fields = [
      String(report.epoch), String(report.step), String(report.samples), String(report.tokens), number(report.loss),
      number(report.accuracy), number(report.learningRate), number(report.validationLoss),
      number(report.validationAccuracy), Decimal.fixed(report.seconds, 3),
    ]
    return fields.joined(separator: ",") + "\n"
  }
}
