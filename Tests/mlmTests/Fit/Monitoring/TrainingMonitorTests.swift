import Foundation
import Testing

@testable import Model
@testable import mlm

/// Tests the handling of reports.
@Suite struct TrainingMonitorTests {
  let console = Console(isQuiet: true, terminal: Terminal(isTerminal: false, environment: { _ in nil }))

  /// A clock set by the test.
  final class Clock {
    var seconds = 0.0
  }

  @Test func grows() throws {
    let tool = try Tool()
    let clock = Clock()
    let monitor = try TrainingMonitor(
      .init(interval: 10, tensorBoard: tool.path("events")), folder: tool.directory.path, console: console,
      clock: { clock.seconds })
    func history() throws -> [Double] { History(try tool.read("history.csv")).numbers("step") }
    #expect(try history() == [])
    for step in 1...25 { try monitor.show(.made(step: step, maskedTokens: step)) }
    #expect(try history() == [10, 20])
    // The second chart would have followed the first too soon.
    let first = try tool.read("history.svg")
    clock.seconds = 1.9
    try monitor.show(.made(step: 30, maskedTokens: 30))
    try monitor.show(.made(step: 31, maskedTokens: 31))
    #expect(try tool.read("history.svg") == first)
    clock.seconds = 2
    try monitor.show(.made(step: 40, maskedTokens: 40))
    try monitor.show(.made(.validation(done: 1, of: 2), step: 40, maskedTokens: 40))
    // The row of a step waits for the end of its epoch.
    #expect(try history() == [10, 20, 30] && monitor.rows.map(\.step) == [10, 20, 30, 40])
    try monitor.show(.made(.epochEnd, step: 40, maskedTokens: 40, validation: .made(loss: 1, accuracy: 1)))
    #expect(try tool.read("history.svg") != first)
    #expect(try history() == [10, 20, 30, 40])
    #expect(monitor.rows.last?.validationLoss == 1)
    let files = monitor.files
    #expect(files.map(\.name) == ["history.csv", "history.svg"])
    for file in files { #expect(try tool.read(file.name) == Data(file.bytes)) }
    #expect(tool.names(in: "events").count == 1)
  }

  /// A pending row is written if a training ends early.
  @Test func theLastRowIsWritten() throws {
    let tool = try Tool()
    let monitor = try TrainingMonitor(.init(interval: 1), folder: tool.directory.path, console: console)
    try monitor.show(.made(step: 1))
    #expect(History(try tool.read("history.csv")).rows.isEmpty)
    try monitor.finish()
    #expect(History(try tool.read("history.csv")).numbers("step") == [1])
  }

  /// Earlier rows precede new ones.
  @Test func goesOn() throws {
    let tool = try Tool()
    let rows = [10, 20, 30].map { HistoryRow(.made(step: $0, loss: 2, maskedTokens: $0)) }
    var state = TrainingState()
    (state.step, state.sums) = (15, LossSums(loss: 30, weight: 15, count: 15))
    let monitor = try TrainingMonitor(
      .init(interval: 10, earlier: (rows, state)), folder: tool.directory.path, console: console)
    try monitor.show(.made(step: 20, loss: 1, maskedTokens: 20))
    try monitor.finish()
    let history = History(try tool.read("history.csv"))
    #expect(history.numbers("step") == [10, 20] && history.numbers("loss") == [2, 1])
    #expect(monitor.curve.points.map { $0.interval?.loss } == [2, 0])
  }

  /// If only the evaluation of an epoch is left, its last step has one row, with the evaluation.
  @Test func goesOnWithAnEvaluation() throws {
    let tool = try Tool()
    let rows = [10, 20].map { HistoryRow(.made(step: $0, loss: 2, maskedTokens: $0)) }
    var state = TrainingState()
    state.step = 20
    let monitor = try TrainingMonitor(
      .init(interval: 10, tensorBoard: tool.path("events"), earlier: (rows, state)), folder: tool.directory.path,
      console: console)
    #expect(monitor.rows.map(\.step) == [10, 20])
    try monitor.show(.made(.epochEnd, step: 20, loss: 2, maskedTokens: 20, validation: .made(loss: 3, accuracy: 0.5)))
    try monitor.show(.made(epoch: 2, step: 21))
    let history = History(try tool.read("history.csv"))
    #expect(history.numbers("step") == [10, 20] && history.rows.last?["val_loss"] == "3.0")
  }

  /// If an output cannot be opened, no file is lost and none is left behind.
  @Test func allIsOpenBeforeAnythingIsReplaced() throws {
    let tool = try Tool()
    try tool.write("old", to: "log.csv")
    try tool.write("x", to: "file")
    for log in ["log.csv", "new.csv"] {
      #expect(throws: HistoryError.self) {
        _ = try TrainingMonitor(
          .init(log: tool.path(log), tensorBoard: tool.path("file")), folder: nil, console: console)
      }
    }
    #expect(tool.names() == ["file", "log.csv"])
    #expect(try tool.read("log.csv") == Data("old".utf8))
  }

  /// A requested log that cannot be written is an error; the default history is a warning.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full"))
  func fullDisk() throws {
    #expect(throws: HistoryError.cannotWrite(.log, path: "/dev/full", code: ENOSPC)) {
      _ = try TrainingMonitor(.init(log: "/dev/full"), folder: nil, console: console)
    }
    let tool = try Tool()
    let monitor = try TrainingMonitor(.init(interval: 1), folder: tool.directory.path, console: console)
    // A folder cannot be replaced by the chart.
    try FileManager.default.createDirectory(atPath: tool.path("history.svg/x"), withIntermediateDirectories: true)
    try monitor.show(.made(step: 1))
    try monitor.show(.made(step: 2))
    try monitor.finish()
    #expect(History(try tool.read("history.csv")).rows.count == 2)
  }
}
