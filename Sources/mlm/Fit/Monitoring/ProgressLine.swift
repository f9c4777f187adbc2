import Model

/// A progress line that always fits a terminal with 80 columns.
///
///     epoch 1/3  step 120/938  loss 2.341  accuracy 51.2 %  14.2k tokens/s  3:12 left
struct ProgressLine {
  /// One value. If not all fit, the less important ones are shortened first, and then omitted.
  private struct Part {
    let text, short: String
    let importance: Int
  }

  /// One less than 80, because the cursor follows the line.
  static let columns = 79

  private var parts: [Part] = []

  private mutating func add(_ text: String, short: String? = nil, importance: Int) {
    parts.append(Part(text: text, short: short ?? text, importance: importance))
  }

  var text: String {
    var shown = parts.map { Optional($0.text) }
    func line() -> String { shown.compactMap(\.self).joined(separator: "  ") }
    let order = parts.indices.sorted { (parts[$0].importance, $0) < (parts[$1].importance, $1) }
    for index in order where line().count > Self.columns { shown[index] = parts[index].short }
    for index in order.dropLast() where line().count > Self.columns { shown[index] = nil }
    return line()
  }
}

extension ProgressLine {
  /// The line after a step.
  ///
  /// - Parameters:
  ///   - epochs: nil if only the steps are limited.
  ///   - means: loss and accuracy of the last steps; nil if none had a masked token.
  ///   - productShare, waitingShare: the share of the threads' time spent in matrix products, and the share of the time
  ///     that the training waits for data; nil if not requested or unknown.
  static func step(
    _ report: TrainingReport, epochs: Int?, means: (loss: Double, accuracy: Double)?, secondsLeft: Double?,
    productShare: Double? = nil, waitingShare: Double? = nil
  ) -> String {
    var line = ProgressLine()
    line.addEpoch(report, epochs)
    line.add("step \(report.step)/\(report.totalSteps)", short: "\(report.step)/\(report.totalSteps)", importance: 6)
    line.add("loss \(Figure.loss(means?.loss))", importance: 9)
    line.addAccuracy("accuracy", "acc", means?.accuracy)
    line.addSpeed(report)
    if let productShare { line.add("GEMM \(whole(productShare))", importance: 4) }
    if let waitingShare {
      line.add("waiting \(whole(waitingShare))", short: "wait \(whole(waitingShare))", importance: 3)
    }
    if let secondsLeft { line.add("\(Readable.duration(secondsLeft)) left", importance: 7) }
    return line.text
  }

  /// The line after an epoch, with the epoch's means.
  static func epoch(_ report: TrainingReport, epochs: Int?) -> String {
    var line = ProgressLine()
    line.addEpoch(report, epochs)
    line.add("step \(report.step)", importance: 1)
    line.add("loss \(Figure.loss(report.means?.loss))", importance: 9)
    line.addAccuracy("accuracy", "acc", report.means?.accuracy)
    if let validation = report.validation {
      let loss = Figure.loss(validation.means?.loss)
      line.add("val_loss \(loss)", short: "val \(loss)", importance: 8)
      line.addAccuracy("val_accuracy", "acc", validation.means?.accuracy)
    }
    line.addSpeed(report)
    line.add(Readable.duration(report.seconds), importance: 7)
    return line.text
  }

  /// The line of `--verbose` below it, with the shares of the time; nil if none is known.
  static func timeSpent(productShare: Double?, waitingShare: Double?) -> String? {
    let parts = [
      productShare.map { "\(whole($0)) of the threads' time in matrix products" },
      waitingShare.map { "\(whole($0)) waiting for data" },
    ].compactMap(\.self)
    return parts.isEmpty ? nil : "  " + parts.joined(separator: ", ")
  }

  private mutating func addEpoch(_ report: TrainingReport, _ epochs: Int?) {
    add("epoch \(report.epoch)" + (epochs.map { "/\($0)" } ?? ""), importance: 10)
  }

  private mutating func addAccuracy(_ name: String, _ short: String, _ share: Double?) {
    let figure = Figure.accuracy(share)
    add("\(name) \(figure)", short: "\(short) \(figure)", importance: 5)
  }

  private mutating func addSpeed(_ report: TrainingReport) {
    let figure = Readable.count(report.tokensPerSecond)
    add("\(figure) tokens/s", short: "\(figure) tok/s", importance: 2)
  }

  private static func whole(_ share: Double) -> String { Decimal.fixed(share * 100, 0) + " %" }
}
