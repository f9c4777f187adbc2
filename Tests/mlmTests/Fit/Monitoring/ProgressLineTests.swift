import Testing

@testable import Model
@testable import mlm

/// Tests the progress lines of a training.
@Suite struct ProgressLineTests {
  @Test func step() {
    let report = TrainingReport.made(step: 120, of: 938)
    #expect(
      ProgressLine.step(report, epochs: 3, means: (2.3411, 0.5117), secondsLeft: 192)
        == "epoch 1/3  step 120/938  loss 2.341  accuracy 51.2 %  14.2k tokens/s  3:12 left")
    #expect(
      ProgressLine.step(report, epochs: nil, means: (2.3411, 0.5117), secondsLeft: nil)
        == "epoch 1  step 120/938  loss 2.341  accuracy 51.2 %  14.2k tokens/s")
    #expect(
      ProgressLine.step(
        report, epochs: 3, means: (2.3411, 0.5117), secondsLeft: 192, productShare: 0.8149, waitingShare: 0)
        == "epoch 1/3  120/938  loss 2.341  acc 51.2 %  GEMM 81 %  wait 0 %  3:12 left")
  }

  @Test func epoch() {
    var report = TrainingReport.made(.epochEnd, step: 938, loss: 2.5, seconds: 65)
    #expect(
      ProgressLine.epoch(report, epochs: 3)
        == "epoch 1/3  step 938  loss 2.500  accuracy 25.0 %  14.2k tokens/s  1:05")
    report.validation = .made(loss: 2.25, accuracy: 0.5)
    #expect(
      ProgressLine.epoch(report, epochs: 3)
        == "epoch 1/3  loss 2.500  acc 25.0 %  val 2.250  acc 50.0 %  14.2k tok/s  1:05")
  }

  @Test func nothingMasked() {
    var report = TrainingReport.made(.epochEnd, step: 938, loss: .nan, accuracy: .nan, maskedTokens: 0, seconds: 65)
    #expect(
      ProgressLine.epoch(report, epochs: 3) == "epoch 1/3  step 938  loss –  accuracy –  14.2k tokens/s  1:05")
    report.validation = .made(loss: .nan, accuracy: .nan)
    report.validation?.maskedTokens = 0
    #expect(
      ProgressLine.epoch(report, epochs: 3)
        == "epoch 1/3  step 938  loss –  acc –  val_loss –  acc –  14.2k tok/s  1:05")
    #expect(
      ProgressLine.step(report, epochs: 3, means: nil, secondsLeft: nil)
        == "epoch 1/3  step 938/1000  loss –  accuracy –  14.2k tokens/s")
  }

  @Test func timeSpent() {
    #expect(ProgressLine.timeSpent(productShare: nil, waitingShare: nil) == nil)
    #expect(
      ProgressLine.timeSpent(productShare: 0.814, waitingShare: 0.02)
        == "  81 % of the threads' time in matrix products, 2 % waiting for data")
  }

  /// A line fits for all values, and contains epoch and loss.
  @Test func fits() {
    let sizes = [1, 999, 12_345, 9_999_999_999]
    let losses = [0.0, 2.3, 12.345, 1e5, 1e30, .nan, .infinity]
    for size in sizes {
      for loss in losses {
        for time in [nil, 1.0, 1e8, .infinity] {
          for share in [nil, 0.0, 1.0] {
            var report = TrainingReport.made(
              epoch: min(size, 99_999), step: size, of: size, loss: loss, accuracy: 1, seconds: time ?? 0,
              tokensPerSecond: Double(size))
            report.validation = share == nil ? nil : .made(loss: loss, accuracy: 1)
            let lines = [
              ProgressLine.step(
                report, epochs: 99_999, means: (loss, 1), secondsLeft: time, productShare: share, waitingShare: share),
              ProgressLine.epoch(report, epochs: 99_999),
            ]
            for line in lines {
              #expect(line.count <= 79 && line.hasPrefix("epoch ") && line.contains("loss "), "\(line)")
            }
          }
        }
      }
    }
  }

  // MARK: The pace

  /// Reports of steps with given losses and equal weights, in epochs of `epoch` steps.
  func pace(_ losses: [Double], epoch: Int) -> TrainingPace {
    var pace = TrainingPace()
    var sum = 0.0
    for (index, loss) in losses.enumerated() {
      let offset = index % epoch
      sum = offset == 0 ? loss : sum + loss
      pace.add(
        .made(
          epoch: index / epoch + 1, step: index + 1, loss: sum / Double(offset + 1),
          accuracy: sum / Double(offset + 1) / 100, maskedTokens: (offset + 1) * 8, seconds: Double(index + 1) * 2))
    }
    return pace
  }

  @Test(arguments: [7, 100, 1000]) func meansOfTheLastSteps(_ epoch: Int) {
    #expect(pace([], epoch: epoch).means == nil)
    let losses = (0..<350).map { 10 - Double($0) / 50 + Double($0 % 3) }
    for count in [1, 99, 100, 101, 350] {
      let means = pace(Array(losses.prefix(count)), epoch: epoch).means ?? (.nan, .nan)
      let last = losses.prefix(count).suffix(100)
      let expected = last.reduce(0, +) / Double(last.count)
      #expect(abs(means.loss - expected) < 1e-9 && abs(means.accuracy - expected / 100) < 1e-9, "\(count)")
    }
  }

  /// A step with more masked tokens has more weight, and one without has none.
  @Test func meansAreWeighted() {
    var pace = TrainingPace()
    for (step, loss, masked) in [(1, 0.0, 0), (2, 4.0, 10), (3, 2.5, 40), (4, 2.5, 40)] {
      pace.add(.made(step: step, loss: masked > 0 ? loss : .nan, accuracy: loss / 10, maskedTokens: masked))
    }
    // The first ten steps have loss 4, the next thirty 2.
    #expect(abs((pace.means?.loss ?? .nan) - 2.5) < 1e-12 && abs((pace.means?.accuracy ?? .nan) - 0.25) < 1e-12)
  }

  /// After a resume in the middle of an epoch, the means cover only the steps since then.
  @Test func meansAfterAResume() {
    var state = TrainingState()
    (state.step, state.sums) = (50, LossSums(loss: 400, weight: 100, correct: 10, count: 100))
    var pace = TrainingPace(from: state)
    #expect(pace.means == nil)
    pace.add(.made(step: 51, loss: 450.0 / 125, maskedTokens: 125))
    #expect(abs((pace.means?.loss ?? .nan) - 2) < 1e-12)
  }

  @Test func timeLeft() {
    #expect(pace([1], epoch: 10).secondsLeft == nil)
    #expect(pace([1, 1], epoch: 10).secondsLeft == 1996.0)
    // In a resumed training, earlier steps do not affect the pace.
    var resumed = TrainingPace()
    for step in [501, 502, 503] { resumed.add(.made(step: step, seconds: Double(step - 500) * 3)) }
    #expect(resumed.secondsLeft == 1491.0)
    resumed.add(.made(step: 1000, seconds: 1500))
    #expect(resumed.secondsLeft == nil)
  }
}
