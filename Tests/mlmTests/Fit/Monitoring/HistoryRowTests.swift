import Testing

@testable import Model
@testable import mlm

/// Tests rows of history.csv, and the means of the intervals between them.
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

  /// Without masked tokens, the loss is missing, not 0: cells are empty and are read as nil.
  @Test func nothingMasked() throws {
    var none = Evaluation.made(loss: .nan, accuracy: .nan)
    none.maskedTokens = 0
    let row = HistoryRow(
      .made(.epochEnd, step: 7, loss: .nan, accuracy: .nan, maskedTokens: 0, validation: none, seconds: 1))
    #expect(row.line == "1,7,0,0,,,0.00100000005,,,1.000\n")
    let read = try #require(HistoryRow(line: row.line.dropLast()))
    #expect(read.loss == nil && read.accuracy == nil && read.validationLoss == nil && read.step == 7)
    #expect(HistoryCurve([row]).points[0].interval == nil)
  }

  @Test(arguments: [
    "", "1,2,3", "1,7,0,0,2.0,0.25,0.001,,,", "1,7,0,0,2.0,0.25,0.001,,,1,2", "epoch,step,samples",
    "1,7,0,0,x,0.25,0.001,,,1",
  ])
  func whatIsNoRow(_ line: String) { #expect(HistoryRow(line: line) == nil) }

  /// Means over the epoch so far at every second step give the means of these steps, weighted by masked tokens.
  @Test func intervals() throws {
    let losses = [[9.0, 8, 7, 6.5, 6, 5.5, 5], [4.5, 4, 4.25, 3.5]]
    let tokens = [[100, 120, 80, 100, 110, 90, 40], [100, 130, 90, 100]]
    var (csv, weights) = (HistoryRow.header, [Double]())
    var expected: [Double] = []
    var (step, allTokens) = (0, 0)
    for epoch in 0...1 {
      var (sum, weight, part, partWeight) = (0.0, 0, 0.0, 0)
      for (index, loss) in losses[epoch].enumerated() {
        step += 1
        // The number of unmasked tokens is arbitrary.
        allTokens += tokens[epoch][index] * (3 + step * 7 % 5)
        sum += loss * Double(tokens[epoch][index])
        weight += tokens[epoch][index]
        part += loss * Double(tokens[epoch][index])
        partWeight += tokens[epoch][index]
        guard step % 2 == 0 || index == losses[epoch].count - 1 else { continue }
        expected.append(part / Double(partWeight))
        (part, partWeight) = (0, 0)
        let row = HistoryRow(
          .made(
            epoch: epoch + 1, step: step, tokens: allTokens, loss: sum / Double(weight),
            accuracy: sum / Double(weight) / 10, maskedTokens: weight))
        csv += row.line
        weights.append(row.maskedWeight ?? .nan)
      }
    }
    let curve = HistoryCurve(HistoryRow.rows(csv: csv, weights: weights))
    let found = curve.points.map { $0.interval?.loss ?? .nan }
    #expect(found.count == expected.count)
    for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-6) }
    for point in curve.points {
      #expect(abs((point.interval?.accuracy ?? .nan) - (point.interval?.loss ?? .nan) / 10) < 1e-6)
    }
  }

  /// Samples may have their own weights.
  @Test func weightsOfSamples() {
    let curve = HistoryCurve([
      HistoryRow(.made(step: 1, loss: 4, maskedTokens: 10, maskedWeight: 1)),
      HistoryRow(.made(step: 2, loss: 3, maskedTokens: 20, maskedWeight: 4)),
    ])
    #expect(abs((curve.points[1].interval?.loss ?? .nan) - 8.0 / 3) < 1e-12)
  }

  /// A file of an older version has two rows for the last step of an epoch, and no weights.
  @Test func anOlderFile() {
    let csv = [
      HistoryRow(.made(step: 100, tokens: 1000)),
      HistoryRow(.made(.epochEnd, step: 100, tokens: 1000, validation: .made(loss: 3, accuracy: 0))),
      HistoryRow(.made(epoch: 2, step: 200, tokens: 2000, loss: 1)),
    ].map(\.line).joined()
    let rows = HistoryRow.rows(csv: HistoryRow.header + csv)
    #expect(rows.map(\.step) == [100, 200] && rows[0].validationLoss == 3)
    #expect(HistoryRow.rows(csv: csv, upTo: 100).count == 1)
    let curve = HistoryCurve(rows)
    #expect(curve.points.map { $0.interval?.loss } == [2, 1])
    #expect(curve.points.map { $0.interval?.weight } == [1000, 1000])
  }

  @Test func meansThatAreNoNumbers() {
    var means = IntervalMeans()
    #expect(means.next(epoch: 1, means: (.nan, 0), weight: 10)?.loss.isNaN == true)
    #expect(means.next(epoch: 1, means: (3, 0), weight: 20)?.loss == 3)
    #expect(means.next(epoch: 1, means: (3, 0), weight: 20) == nil)
    #expect(means.next(epoch: 2, means: nil, weight: 0) == nil)
  }
}

enum TestReports {
  static let validated = TrainingReport.made(
    .epochEnd, epoch: 2, step: 300, samples: 9600, tokens: 480_000, loss: 2.5, accuracy: 0.125,
    validation: .made(loss: 3.25, accuracy: 0.0625), seconds: 12.3456)
}
