import Model

extension TrainingReport {
  var secondsLeft: Double? {
    guard step > 0, totalSteps > step else { return nil }
    return seconds / Double(step) * Double(totalSteps - step)
  }

  /// `epoch 1/3  step 120/938  loss 2.341  accuracy 51.2 %  14.2k tokens/s  3:12 left`
  ///
  /// - Parameter epochs: nil where only the steps are limited.
  func progressLine(epochs: Int?) -> String {
    var parts = [
      "epoch \(epoch)" + (epochs.map { "/\($0)" } ?? ""), "step \(step)/\(totalSteps)",
      "loss \(Decimal.fixed(loss, 3))", "accuracy \(Readable.percent(accuracy))",
    ]
    if let validation {
      parts.append("val_loss \(Decimal.fixed(validation.loss, 3))")
      parts.append("val_accuracy \(Readable.percent(validation.accuracy))")
    }
    parts.append("\(Readable.count(tokensPerSecond)) tokens/s")
    switch moment {
    case .step, .validation: if let secondsLeft { parts.append("\(Readable.duration(secondsLeft)) left") }
    case .epochEnd: parts.append(Readable.duration(seconds))
    }
    return parts.joined(separator: "  ")
  }
}

/// The CSV history: a row per report, with the columns of CONTRACT.
enum FitHistory {
  static let header = "epoch,step,samples,tokens,loss,accuracy,learning_rate,val_loss,val_accuracy,seconds\n"

  static func row(_ report: TrainingReport) -> String {
    func number(_ value: Double?) -> String { value.map { FloatText.significant($0, digits: 9) } ?? "" }
    let fields = [
      String(report.epoch), String(report.step), String(report.samples), String(report.tokens), number(report.loss),
      number(report.accuracy), number(Double(report.learningRate)),
      number(report.validation?.loss), number(report.validation?.accuracy), Decimal.fixed(report.seconds, 3),
    ]
    return fields.joined(separator: ",") + "\n"
  }
}
