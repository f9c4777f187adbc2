import Model

/// The current pace of a training: loss and accuracy of the last steps, and the time left.
struct TrainingPace {
  /// The number of steps of the moving means.
  static let window = 100

  private var intervals = IntervalMeans()
  /// The last steps, as a ring buffer: when it is full, the step at `next` is replaced.
  private var steps: [IntervalMeans.Interval] = []
  private var next = 0
  private var first: (step: Int, seconds: Double)?
  private var last: (step: Int, total: Int, seconds: Double)?

  /// - Parameter start: the state that a resumed training continues from; nil for a new training.
  init(from start: TrainingState? = nil) {
    guard let start, start.maskedWeight > 0 else { return }
    // The means that an earlier run has reported for the current epoch.
    _ = intervals.next(epoch: start.epoch + 1, means: (start.loss, start.accuracy), weight: start.maskedWeight)
  }

  /// Adds a step. Call it after every step.
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

  /// Loss and accuracy per masked token of the last steps; nil if there are none.
  var means: (loss: Double, accuracy: Double)? {
    let weight = steps.reduce(0) { $0 + $1.weight }
    guard weight > 0 else { return nil }
    return (
      steps.reduce(0) { $0 + $1.loss * $1.weight } / weight,
      steps.reduce(0) { $0 + $1.accuracy * $1.weight } / weight
    )
  }

  /// The estimated time left, from the steps since the first report, including validation; nil before the second step
  /// and at the end.
  var secondsLeft: Double? {
    guard let first, let last, last.step > first.step, last.total > last.step else { return nil }
    return (last.seconds - first.seconds) / Double(last.step - first.step) * Double(last.total - last.step)
  }
}
