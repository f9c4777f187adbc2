import Foundation
import Testing

@testable import Model
@testable import mlm

/// Tests `history.svg` as text; view the images in Tests/Snapshots.
@Suite struct HistoryChartTests {
  /// A training of several epochs with a row every `interval` steps, with noise.
  static func curve(epochs: Int, steps: Int, interval: Int, validates: Bool, rate: Float = 5e-4) -> HistoryCurve {
    var curve = HistoryCurve()
    var step = 0
    for epoch in 1...epochs {
      var sum = 0.0
      for index in 1...steps {
        step += 1
        let noise = Double(step * 7919 % 101) / 101 - 0.5
        sum += 2 + 7 / (1 + Double(step) / Double(steps) * 4) + noise * 0.6
        func report(_ moment: TrainingReport.Moment, _ validation: Evaluation? = nil) -> TrainingReport {
          let share = Float(step) / Float(epochs * steps)
          return .made(
            moment, epoch: epoch, step: step, samples: step * 32, tokens: step * 1000, loss: sum / Double(index),
            maskedTokens: index * 150, learningRate: rate * min(share * 10, (1 - share) / 0.9), validation: validation)
        }
        if step % interval == 0, index < steps { curve.append(HistoryRow(report(.step))) }
        if index == steps {
          let loss = 2.1 + 7 / (1 + Double(epoch) * 4)
          curve.append(HistoryRow(report(.epochEnd, validates ? .made(loss: loss, accuracy: 0.5) : nil)))
        }
      }
    }
    return curve
  }

  static func svg(_ curve: HistoryCurve, title: String = "bert-tiny on <novels> & \"letters\".txt") -> String {
    HistoryChart(title: title, points: curve.points).svg()
  }

  /// The coordinates of the points of all lines with a color.
  func coordinates(_ svg: String, _ color: String) -> [(x: Double, y: Double)] {
    svg.split(separator: "\n").filter { $0.hasPrefix("<polyline") && $0.contains("stroke=\"\(color)\"") }.flatMap {
      line in
      line.split(separator: "points=\"")[1].split(separator: "\"")[0].split(separator: " ").map { pair in
        let parts = pair.split(separator: ",").map { Double($0) ?? .nan }
        return (parts[0], parts[1])
      }
    }
  }

  @Test func snapshots() throws {
    try Snapshot.expect(
      Self.svg(Self.curve(epochs: 5, steps: 340, interval: 100, validates: true)), is: "history-epochs.svg")
    try Snapshot.expect(
      Self.svg(Self.curve(epochs: 1, steps: 250_000, interval: 100, validates: false)), is: "history-long.svg")
    try Snapshot.expect(Self.svg(HistoryCurve(), title: ""), is: "history-none.svg")
    var one = HistoryCurve()
    one.append(HistoryRow(TestReports.validated))
    try Snapshot.expect(Self.svg(one, title: String(repeating: "a long title ", count: 20)), is: "history-one.svg")
  }

  /// Each line has one closed element, and texts contain no markup.
  @Test func isWellFormed() {
    for curve in [HistoryCurve(), Self.curve(epochs: 30, steps: 10, interval: 3, validates: true), Self.broken] {
      let lines = Self.svg(curve).split(separator: "\n")
      #expect(lines.first?.hasPrefix("<svg ") == true && lines.last == "</svg>")
      for line in lines.dropFirst().dropLast() {
        #expect(line.first == "<" && (line.hasSuffix("/>") || line.hasSuffix("</text>")), "\(line)")
        let isText = line.hasPrefix("<text ")
        #expect(line.filter { $0 == "<" }.count == (isText ? 2 : 1), "\(line)")
        #expect(line.filter { $0 == ">" }.count == (isText ? 2 : 1), "\(line)")
        #expect(line.filter { $0 == "\"" }.count % 2 == 0, "\(line)")
        let rest = ["&lt;", "&gt;", "&amp;", "&quot;"].reduce(String(line)) { $0.replacing($1, with: "") }
        #expect(!rest.contains("&"), "\(line)")
      }
    }
  }

  @Test func linesStandWhereTheNumbersAre() {
    var curve = HistoryCurve()
    // Losses of 4, 2, 3 in the intervals give means of 4, 3, 3 over the epoch so far.
    for (step, mean) in [(100, 4.0), (200, 3), (300, 3)] {
      curve.append(HistoryRow(.made(step: step, loss: mean, maskedTokens: step)))
    }
    let line = coordinates(Self.svg(curve), "#0072b2")
    #expect(line.map(\.x) == [324, 574, 824])
    #expect(line.map(\.y) == [84, 370, 227], "from 4 at the top to 2 at the bottom")
  }

  /// A short rest is merged with the next interval, and at the end with the previous one.
  @Test func restsDoNotStandOut() {
    let curve = Self.curve(epochs: 2, steps: 105, interval: 50, validates: false)
    #expect(curve.points.map(\.row.step) == [50, 100, 105, 150, 200, 210])
    #expect(coordinates(Self.svg(curve), "#0072b2").count == 4)
    #expect(coordinates(Self.svg(curve), "#555").count == 6)
  }

  @Test func manyPointsAreThinned() {
    let svg = Self.svg(Self.curve(epochs: 1, steps: 20_000, interval: 2, validates: false))
    let line = coordinates(svg, "#0072b2")
    #expect(line.count <= 1000 && line.count > 600)
    #expect(svg.utf8.count < 60_000 && !svg.contains("<circle"))
  }

  static let broken: HistoryCurve = {
    var curve = HistoryCurve()
    let losses = [3.0, .nan, .infinity, 2.5, 2]
    for (index, loss) in losses.enumerated() {
      curve.append(
        HistoryRow(.made(epoch: index + 1, step: index + 1, loss: loss, learningRate: .nan)))
    }
    return curve
  }()

  /// An interval without masked tokens is a gap, not a loss of 0, and the rest of an interval is not merged across it.
  @Test func nothingMaskedIsAGap() {
    var curve = HistoryCurve()
    for (step, loss, masked) in [
      (1, 4.0, 100), (2, 3.5, 200), (3, 3.5, 210), (4, 3.5, 210), (5, 3.0, 310), (6, 2.8, 410),
    ] {
      curve.append(HistoryRow(.made(step: step, loss: loss, maskedTokens: masked)))
    }
    let svg = Self.svg(curve)
    #expect(svg.components(separatedBy: "<polyline").count - 1 == 3, "two of the loss, one of the rate")
    let xs = coordinates(svg, "#0072b2").map(\.x)
    #expect(xs == [199, 449, 699, 824])
    #expect(svg.contains("last epoch: 2.800<"))
    var none = HistoryCurve()
    none.append(HistoryRow(.made(step: 1, loss: .nan, maskedTokens: 0)))
    #expect(Self.svg(none).contains("training: –<") && Self.svg(none).contains("no loss that is a number"))
  }

  @Test func numbersThatAreNone() {
    let svg = Self.svg(Self.broken)
    #expect(!svg.lowercased().contains("nan\"") && !svg.contains("inf"))
    #expect(coordinates(svg, "#0072b2").map(\.x).last == 824)
    // The first value is isolated and becomes a circle.
    #expect(svg.contains("<circle cx=\"224\""))
  }

  @Test func nothingThatIsANumber() {
    var curve = HistoryCurve()
    curve.append(HistoryRow(.made(step: 1, tokens: 1, loss: .nan)))
    #expect(Self.svg(curve).contains("no loss that is a number"))
    #expect(Self.svg(HistoryCurve()).contains("no report yet"))
  }
}
