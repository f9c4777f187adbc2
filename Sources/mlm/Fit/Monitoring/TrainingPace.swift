import Model

/// How a training goes at present: loss and accuracy of its last steps, and how long it will take.
struct TrainingPace {
  /// Steps that the moving means are over.
  static let window = 100

  private var intervals = IntervalMeans()
  /// The last steps, the next one to be replaced at `next` when there are enough of them.
  private var steps: [IntervalMeans.Interval] = []
  private var next = 0
  private var first: (step: Int, seconds: Double)?
  private var last: (step: Int, total: Int, seconds: Double)?

  /// - Parameter start: where a training goes on; nil for a new one.
  init(from start: TrainingState? = nil) {
    guard let start, start.maskedWeight > 0 else { return }
    // What an earlier run has reported of the epoch at hand.
    _ = intervals.next(epoch: start.epoch + 1, means: (start.loss, start.accuracy), weight: start.maskedWeight)
  }

  /// To be called after every step.
  mutating func add(_ report: TrainingReport) {
    if first == nil { first = (report.step, report.seconds) }
    last = (report.step, report.totalSteps, report.seconds)
    guard let step = intervals.next(epoch: report.epoch, means: report.means, weight: report.maskedWeight) else {
      return
    }
    if steps.count < Self.window {
      steps.append(step)
    } else {
      steps[next] = step
      next = (next + 1) % Self.window
    }
  }

  /// Per masked token of the last steps; nil before there is one.
  var means: (loss: Double, accuracy: Double)? {
    let weight = steps.reduce(0) { $0 + $1.weight }
    guard weight > 0 else { return nil }
    return (
      steps.reduce(0) { $0 + $1.loss * $1.weight } / weight,
      steps.reduce(0) { $0 + $1.accuracy * $1.weight } / weight
    )
  }

  /// By the steps since the first report, their validation included; nil before there are two, and at the end.
  var secondsLeft: Double? {
    guard let first, let last, last.step > first.step, last.total > last.step else { return nil }
    return (last.seconds - first.seconds) / Double(last.step - first.step) * Double(last.total - last.step)
  }
}
