import Foundation
import Testing

@testable import Model
@testable import mlm

/// The one that gets every report.
@Suite struct TrainingWatchTests {
  let console = Console(isQuiet: true, terminal: Terminal(isTerminal: false, environment: { _ in nil }))

  /// A clock that is told the time.
  final class Clock {
    var seconds = 0.0
  }

  @Test func grows() throws {
    let tool = try Tool()
    let clock = Clock()
    let watch = try TrainingWatch(
      .init(interval: 10, tensorBoard: tool.path("events")), folder: tool.directory.path, console: console,
      clock: { clock.seconds })
    func history() throws -> [Double] { History(try tool.read("history.csv")).numbers("step") }
    #expect(try history() == [])
    for step in 1...25 { try watch.show(.made(step: step, tokens: step)) }
    #expect(try history() == [10, 20])
    // The second picture would have come too soon after the first.
    let first = try tool.read("history.svg")
    clock.seconds = 1.9
    try watch.show(.made(step: 30, tokens: 30))
    #expect(try tool.read("history.svg") == first)
    clock.seconds = 2
    try watch.show(.made(.validation(done: 1, of: 2), step: 30, tokens: 30))
    try watch.show(.made(.epochEnd, step: 30, tokens: 30, validation: .made(loss: 1, accuracy: 1)))
    #expect(try tool.read("history.svg") != first)
    #expect(try history() == [10, 20, 30, 30])
    let files = watch.files
    #expect(files.map(\.name) == ["history.csv", "history.svg"])
    for file in files { #expect(try tool.read(file.name) == Data(file.bytes)) }
    #expect(tool.names(in: "events").count == 1)
  }

  /// What was written before stands before what comes.
  @Test func goesOn() throws {
    let tool = try Tool()
    let rows = [10, 20].map { HistoryRow(.made(step: $0, tokens: $0, loss: 2)).line }
    let earlier = HistoryRow.header + rows.joined() + "1,30,cut sho"
    let watch = try TrainingWatch(
      .init(interval: 10, earlier: (earlier, 10)), folder: tool.directory.path, console: console)
    try watch.show(.made(step: 20, tokens: 20, loss: 1))
    let history = History(try tool.read("history.csv"))
    #expect(history.numbers("step") == [10, 20] && history.numbers("loss") == [2, 1])
    #expect(watch.curve.points.map { $0.interval?.loss } == [2, 0])
  }

  /// Who asked for a log is told that there is none; the history that nobody asked for is a warning.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full"))
  func fullDisk() throws {
    #expect(throws: HistoryError.cannotWrite(.log, path: "/dev/full", code: ENOSPC)) {
      _ = try TrainingWatch(.init(log: "/dev/full"), folder: nil, console: console)
    }
    let tool = try Tool()
    let watch = try TrainingWatch(.init(interval: 1), folder: tool.directory.path, console: console)
    // No picture can take the place of a folder.
    try FileManager.default.createDirectory(atPath: tool.path("history.svg/x"), withIntermediateDirectories: true)
    try watch.show(.made(step: 1, tokens: 1))
    try watch.show(.made(step: 2, tokens: 2))
    #expect(History(try tool.read("history.csv")).rows.count == 2)
  }
}
