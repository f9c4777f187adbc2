import Testing

@testable import Model
@testable import mlm

/// Rows of history.csv, and what they tell of the time between them.
@Suite struct HistoryRowTests {
  @Test func line() {
    let report = TestReports.validated
    #expect(HistoryRow(report).line == "2,300,9600,480000,2.5,0.125,0.00100000005,3.25,0.0625,12.346\n")
    let plain = HistoryRow(.made(step: 7, seconds: 1))
    #expect(plain.line == "1,7,0,0,2.0,0.25,0.00100000005,,,1.000\n")
    for row in [HistoryRow(report), plain] {
      let read = HistoryRow(line: row.line.dropLast())
      #expect(read?.step == row.step && read?.validationLoss == row.validationLoss && read?.loss == row.loss)
    }
  }

  @Test(arguments: ["", "1,2,3", "1,7,0,0,2.0,0.25,0.001,,,", "1,7,0,0,2.0,0.25,0.001,,,1,2", "epoch,step,samples"])
  func whatIsNoRow(_ line: String) { #expect(HistoryRow(line: line) == nil) }

  /// Means over the epoch so far, told every two steps, give back the means of those steps.
  @Test func intervals() throws {
    let losses = [[9.0, 8, 7, 6.5, 6, 5.5, 5], [4.5, 4, 4.25, 3.5]]
    let tokens = [[100, 120, 80, 100, 110, 90, 40], [100, 130, 90, 100]]
    var csv = HistoryRow.header
    var expected: [Double] = []
    var (step, allTokens) = (0, 0)
    for epoch in 0...1 {
      var (sum, weight, part, partWeight) = (0.0, 0, 0.0, 0)
      for (index, loss) in losses[epoch].enumerated() {
        step += 1
        allTokens += tokens[epoch][index]
        sum += loss * Double(tokens[epoch][index])
        weight += tokens[epoch][index]
        part += loss * Double(tokens[epoch][index])
        partWeight += tokens[epoch][index]
        guard step % 2 == 0 || index == losses[epoch].count - 1 else { continue }
        expected.append(part / Double(partWeight))
        (part, partWeight) = (0, 0)
        csv +=
          HistoryRow(
            .made(
              epoch: epoch + 1, step: step, tokens: allTokens, loss: sum / Double(weight),
              accuracy: sum / Double(weight) / 10)
          ).line
      }
    }
    let curve = HistoryCurve(csv: csv)
    let found = curve.points.map { $0.interval?.loss ?? .nan }
    #expect(found.count == expected.count)
    for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-6) }
    for point in curve.points {
      #expect(abs((point.interval?.accuracy ?? .nan) - (point.interval?.loss ?? .nan) / 10) < 1e-6)
    }
  }

  @Test func sameStepTwice() {
    var curve = HistoryCurve()
    curve.append(HistoryRow(.made(step: 100, tokens: 1000)))
    curve.append(HistoryRow(.made(.epochEnd, step: 100, tokens: 1000)))
    curve.append(HistoryRow(.made(epoch: 2, step: 200, tokens: 2000, loss: 1)))
    #expect(curve.points.map { $0.interval?.loss } == [2, nil, 1])
    #expect(curve.points.map { $0.interval?.weight } == [1000, nil, 1000])
  }

  @Test func meansThatAreNoNumbers() {
    var means = IntervalMeans()
    #expect(means.next(epoch: 1, loss: .nan, accuracy: 0, weight: 10)?.loss.isNaN == true)
    #expect(means.next(epoch: 1, loss: 3, accuracy: 0, weight: 20)?.loss == 3)
    #expect(means.next(epoch: 1, loss: 3, accuracy: 0, weight: 20) == nil)
    #expect(means.next(epoch: 2, loss: 0, accuracy: 0, weight: 0) == nil)
  }
}

enum TestReports {
  static let validated = TrainingReport.made(
    .epochEnd, epoch: 2, step: 300, samples: 9600, tokens: 480_000, loss: 2.5, accuracy: 0.125,
    validation: .made(loss: 3.25, accuracy: 0.0625), seconds: 12.3456)
}
