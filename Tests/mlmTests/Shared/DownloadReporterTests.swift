import Foundation
import Testing

@testable import Hub

@testable import Model
@testable import mlm

@Suite struct DownloadReporterTests {
  /// The output of a reporter on a terminal or elsewhere, with a clock set by the test.
  private func said(
    isTerminal: Bool = false, showsProgress: Bool = true, isQuiet: Bool = false,
    _ body: (DownloadReporter, _ wait: (Double) -> Void) -> Void
  ) throws -> String {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("mlm-test-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    #expect(FileManager.default.createFile(atPath: file.path, contents: nil))
    let handle = try FileHandle(forWritingTo: file)
    var terminal = Terminal(isTerminal: isTerminal) { $0 == "TERM" ? "xterm" : nil }
    terminal.redraws = isTerminal
    let console = Console(descriptor: handle.fileDescriptor, isQuiet: isQuiet, terminal: terminal)
    nonisolated(unsafe) var now = 0.0
    body(DownloadReporter(console: console, showsProgress: showsProgress, clock: { now }), { now += $0 })
    try handle.close()
    return String(decoding: try Data(contentsOf: file), as: UTF8.self)
  }

  private func progress(_ received: Int, of size: Int?, rate: Double = 0) -> DownloadProgress {
    DownloadProgress(file: "w.bin", received: received, size: size, bytesPerSecond: rate)
  }

  @Test func line() {
    #expect(
      DownloadReporter.line(progress(121_000_000, of: 268_000_000, rate: 12_250_000))
        == "w.bin  45.1 %  121 MB of 268 MB  12 MB/s  0:12 left")
    #expect(DownloadReporter.line(progress(5000, of: nil, rate: 100)) == "w.bin  5 kB  100 B/s")
    #expect(DownloadReporter.line(progress(0, of: 0)) == "w.bin  0 B")
    #expect(DownloadReporter.line(progress(1, of: 2, rate: .infinity)).hasPrefix("w.bin  50.0 %"))
  }

  @Test func plainLinesNowAndThen() throws {
    let text = try said { reporter, wait in
      for second in 0..<40 {
        reporter.show(.progress(progress(second, of: 40)))
        wait(1)
      }
      reporter.show(.note("try 2"))
      reporter.show(.fetched(file: "w.bin", size: 40))
    }
    #expect(
      text.split(separator: "\n") == [
        "w.bin  37.5 %  15 B of 40 B", "w.bin  75.0 %  30 B of 40 B", "mlm: note: try 2",
        "mlm: note: downloaded w.bin (40 B)",
      ])
  }

  @Test func oneLiveLineOnATerminal() throws {
    let text = try said(isTerminal: true) { reporter, wait in
      for _ in 0..<3 {
        reporter.show(.progress(progress(10, of: 40)))
        wait(1)
      }
      reporter.finish()
    }
    #expect(text == "\rw.bin  25.0 %  10 B of 40 B\u{1B}[K\r\u{1B}[K")
  }

  @Test func silence() throws {
    for isTerminal in [true, false] {
      let events = { (reporter: DownloadReporter, wait: (Double) -> Void) in
        for _ in 0..<3 {
          reporter.show(.progress(progress(10, of: 40)))
          wait(20)
        }
        reporter.show(.fetched(file: "w.bin", size: 40))
      }
      #expect(try said(isTerminal: isTerminal, isQuiet: true, events).isEmpty)
      #expect(try said(isTerminal: isTerminal, showsProgress: false, events).isEmpty)
    }
  }
}
