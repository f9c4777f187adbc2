import Charts

/// `history.svg`: the loss over the steps, and below it the learning rate.
struct HistoryChart {
  /// The model and its text; empty if unknown.
  let title: String
  let points: [HistoryCurve.Point]

  private let size = (width: 860.0, height: 540.0)
  private let left = 74.0, right = 824.0
  private let loss = (top: 84.0, bottom: 370.0)
  private let rate = (top: 400.0, bottom: 478.0)
  /// The maximum number of points of a line that are marked with circles.
  private let markedPoints = 60

  /// Colors that people with color blindness can distinguish (Okabe and Ito), which also differ in gray.
  private enum Color {
    static let training = "#0072b2"
    static let validation = "#d55e00"
    static let rate = "#555"
    static let grid = "#e4e4e4"
    static let axis = "#444"
    static let faint = "#666"
  }

  func svg() -> String {
    let training = trainingLine
    let validation = points.compactMap { point in
      point.row.validationLoss.map { (x: Double(point.row.step), y: $0) }
    }
    let rates = points.map { (x: Double($0.row.step), y: $0.row.learningRate) }
    let steps = Axis(
      from: 0, to: Double(max(1, points.last?.row.step ?? 1)), intervals: 8, wholeNumbers: true, endsAtTicks: false)
    let losses = (training + validation).map(\.y).filter(\.isFinite)
    let lossAxis = Axis(from: losses.min() ?? 0, to: losses.max() ?? 1, intervals: 5)
    let rateAxis = Axis(from: 0, to: rates.map(\.y).filter(\.isFinite).max() ?? 1, intervals: 2)

    let heading = title.isEmpty ? "Training" : Self.shortened(Printable.oneLine(title))
    var out = SVG.text(heading, left, 30, "font-size=\"16\" font-weight=\"bold\"")
    out += legend(training, validation)
    out += epochs(steps)
    out += panel(loss, lossAxis, steps, title: "loss, nats per masked token")
    out += panel(rate, rateAxis, steps, title: "learning rate")
    out += xLabels(steps)
    out += line(rates, rate, rateAxis, steps, Color.rate, width: 1.5)
    out += line(training, loss, lossAxis, steps, Color.training, width: validation.isEmpty ? 1.8 : 1.5)
    out += line(validation, loss, lossAxis, steps, Color.validation, width: 2.2)
    if losses.isEmpty {
      out += SVG.text(
        points.isEmpty ? "no report yet" : "no loss that is a number", (left + right) / 2, (loss.top + loss.bottom) / 2,
        "text-anchor=\"middle\" font-size=\"13\" fill=\"\(Color.faint)\"")
    }
    return SVG.document(width: size.width, height: size.height, out)
  }

  /// The loss between reports, interrupted where no token was masked. If the last interval of an epoch is short, it is
  /// merged with the next one (at the end, with the previous one), because alone it would be an outlier by chance.
  private var trainingLine: [Thinning.Point] {
    let enough = (points.compactMap(\.interval?.weight).max() ?? 0) / 2
    var line: [Thinning.Point] = []
    var (sum, weight, lastWeight, step) = (0.0, 0.0, 0.0, 0.0)
    func addRest() {
      guard weight > 0 else { return }
      if let before = line.last, before.y.isFinite {
        line[line.count - 1] = (step, (before.y * lastWeight + sum) / (lastWeight + weight))
      } else {
        line.append((step, sum / weight))
      }
      (sum, weight) = (0, 0)
    }
    for point in points {
      guard let interval = point.interval else {
        addRest()
        line.append((Double(point.row.step), .nan))
        continue
      }
      sum += interval.loss * interval.weight
      weight += interval.weight
      step = Double(point.row.step)
      guard weight >= enough || !sum.isFinite else { continue }
      line.append((step, sum / weight))
      (sum, weight, lastWeight) = (0, 0, weight)
    }
    addRest()
    return line
  }

  // MARK: Parts

  private typealias Span = (top: Double, bottom: Double)

  private func x(_ step: Double, _ steps: Axis) -> Double { left + (right - left) * steps.place(step) }
  private func y(_ value: Double, _ axis: Axis, _ span: Span) -> Double {
    span.bottom - (span.bottom - span.top) * axis.place(value)
  }

  /// The grid, the values to its left, and the title next to them.
  private func panel(_ span: Span, _ axis: Axis, _ steps: Axis, title: String) -> String {
    var out = ""
    for tick in steps.ticks where tick.value > 0 {
      let at = x(tick.value, steps)
      out += SVG.line(at, span.top, at, span.bottom, "stroke=\"\(Color.grid)\"")
    }
    for tick in axis.ticks {
      let at = y(tick.value, axis, span)
      out += SVG.line(left, at, right, at, "stroke=\"\(tick == axis.ticks.first ? Color.axis : Color.grid)\"")
      out += SVG.text(tick.label, left - 8, at + 4, "text-anchor=\"end\"")
    }
    out += SVG.line(left, span.top, left, span.bottom, "stroke=\"\(Color.axis)\"")
    let middle = (span.top + span.bottom) / 2
    return out
      + SVG.text(
        title, 18, middle,
        "text-anchor=\"middle\" fill=\"\(Color.faint)\" transform=\"rotate(-90 18 \(SVG.number(middle)))\"")
  }

  /// The step numbers that both panels share.
  private func xLabels(_ steps: Axis) -> String {
    var out = ""
    for tick in steps.ticks {
      let at = x(tick.value, steps)
      out += SVG.line(at, rate.bottom, at, rate.bottom + 4, "stroke=\"\(Color.axis)\"")
      out += SVG.text(tick.label, at, rate.bottom + 18, "text-anchor=\"middle\"")
    }
    return out
      + SVG.text(
        "optimizer steps", (left + right) / 2, rate.bottom + 40, "text-anchor=\"middle\" fill=\"\(Color.faint)\"")
  }

  /// The ends of epochs, if they are far enough apart, with their numbers at the top.
  private func epochs(_ steps: Axis) -> String {
    var ends: [(epoch: Int, step: Double)] = []
    for point in points {
      if ends.last?.epoch == point.row.epoch { ends.removeLast() }
      ends.append((point.row.epoch, Double(point.row.step)))
    }
    guard ends.count > 1, ends.count <= 24 else { return "" }
    var (out, start) = ("", left)
    for end in ends {
      let at = x(end.step, steps)
      if end.epoch != ends.last?.epoch {
        out += SVG.line(at, loss.top, at, rate.bottom, "stroke=\"#bbb\" stroke-dasharray=\"2 3\"")
      }
      let label = at - start > 60 ? "epoch \(end.epoch)" : at - start > 22 ? "\(end.epoch)" : ""
      if !label.isEmpty {
        out += SVG.text(
          label, (start + at) / 2, loss.top - 6, "text-anchor=\"middle\" font-size=\"10\" fill=\"\(Color.faint)\"")
      }
      start = at
    }
    return out
  }

  private func line(
    _ points: [Thinning.Point], _ span: Span, _ axis: Axis, _ steps: Axis, _ color: String, width: Double
  ) -> String {
    let stretches = Thinning.stretches(points)
    let count = stretches.reduce(0) { $0 + $1.count }
    var out = ""
    for stretch in stretches {
      let limit = max(4, 1000 * stretch.count / max(1, count))
      let pixels = Thinning.thinned(stretch, limit: limit).map { (x: x($0.x, steps), y: y($0.y, axis, span)) }
      if pixels.count > 1 {
        let stroke = "stroke=\"\(color)\" stroke-width=\"\(SVG.number(width))\" stroke-linejoin=\"round\""
        out += SVG.polyline(pixels, stroke)
      }
      if count <= markedPoints || pixels.count == 1 {
        for pixel in pixels { out += SVG.circle(pixel.x, pixel.y, radius: width + 1, fill: color) }
      }
    }
    return out
  }

  /// The legend under the title: for each line, a sample, its name and its last value.
  private func legend(_ training: [Thinning.Point], _ validation: [Thinning.Point]) -> String {
    var at = left
    func entry(_ text: String, _ color: String, width: Double) -> String {
      defer { at += 46 + 6.3 * Double(text.count) }
      return SVG.line(at, 50, at + 22, 50, "stroke=\"\(color)\" stroke-width=\"\(SVG.number(width))\"")
        + SVG.text(text, at + 29, 54, "font-size=\"12\"")
    }
    var out = ""
    if let last = points.last {
      // The same value as on the terminal and in the card.
      let what = training.count > 1 ? "training, means between points; last epoch" : "training"
      out += entry("\(what): \(Figure.loss(last.row.loss))", Color.training, width: 2)
    }
    if let last = validation.last {
      var text = "validation: \(Figure.loss(last.y))"
      let best = validation.filter(\.y.isFinite).min { $0.y < $1.y }
      if let best, best.x != last.x { text += ", best \(Figure.loss(best.y)) at step \(Int(best.x))" }
      out += entry(text, Color.validation, width: 2.5)
    }
    return out
  }

  /// The part of a title that fits.
  private static func shortened(_ title: String) -> String {
    title.count <= 84 ? title : title.prefix(83) + "…"
  }
}
