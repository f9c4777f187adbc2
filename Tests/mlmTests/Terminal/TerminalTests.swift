import Foundation
import Glibc
import Testing

@testable import Text

import Model

@testable import mlm

@Suite struct TerminalTests {
  @Test func numbers() {
    #expect(Decimal.fixed(2.3456, 2) == "2.35" && Decimal.fixed(-0.5, 0) == "-0")
    #expect(Readable.duration(7) == "0:07" && Readable.duration(3765) == "1:02:45" && Readable.duration(.nan) == "?")
    #expect(Readable.count(850) == "850" && Readable.count(14_230) == "14.2k" && Readable.count(1.3e6) == "1.3M")
    #expect(Count.bytes(267_954_768) == "268 MB" && plural(1, "line") == "1 line")
  }

  @Test func environmentDecides() {
    func terminal(_ variables: [String: String], isTerminal: Bool = true) -> Terminal {
      Terminal(isTerminal: isTerminal) { variables[$0] }
    }
    #expect(terminal(["TERM": "xterm"]).hasColor && terminal(["TERM": "xterm"]).redraws)
    #expect(!terminal(["TERM": "xterm", "NO_COLOR": "1"]).hasColor)
    #expect(terminal(["TERM": "xterm", "NO_COLOR": ""]).hasColor)
    #expect(!terminal(["TERM": "dumb"]).redraws && !terminal([:], isTerminal: false).hasColor)
    #expect(
      terminal(["LANG": "en_US.UTF-8"]).showsUnicode && !terminal(["LC_ALL": "C", "LANG": "de.UTF-8"]).showsUnicode)
  }

  @Test func tablesLineUp() {
    var table = Table([.left, .right], indent: "  ")
    table.rows = [["paris", "1"], ["東京", "10"], ["a\u{301}", ""]]
    #expect(table.lines() == ["  paris   1", "  東京   10", "  a\u{301}"])
    #expect(Table.bar(0.5, columns: 4, unicode: false) == "##" && Table.bar(0, columns: 4, unicode: true) == "")
    #expect(Table.bar(0.28125, columns: 4, unicode: true) == "█▏" && Table.bar(7, columns: 2, unicode: true) == "██")
  }

  @Test func controlCharactersAreShown() {
    #expect(Printable.oneLine("a\nb\u{1B}\u{202E}é") == "a\\nb\\x1b\\u{202e}é")
    #expect(Printable.text("a\tb\u{9B}\u{7F}\u{1}é") == "a\\tb\\x9b\\x7f\\x01é")
    // In a file name, the character stands for a byte; in other text, it is itself.
    #expect(Printable.oneLine(String(path: [0x61, 0xE9])) == "a\\xe9" && Printable.text("\u{10FEE9}") == "\u{10FEE9}")
    for text in ["plain", "é中\u{2026}", "a\u{9B}b\u{2028}\n"] {
      #expect(Array(text.utf8).withUnsafeBufferPointer { Printable.text($0) } == Array(Printable.text(text).utf8))
    }
    #expect(DisplayWidth.prefix("東京x", columns: 4) == "東京")
  }

  /// The text that a console wrote to a pipe.
  func written(isQuiet: Bool = false, redraws: Bool, _ body: (Console) -> Void) throws -> String {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    var terminal = Terminal(isTerminal: redraws) { _ in nil }
    terminal.redraws = redraws
    body(Console(descriptor: ends[1], isQuiet: isQuiet, terminal: terminal))
    close(ends[1])
    return String(
      decoding: FileHandle(fileDescriptor: ends[0], closeOnDealloc: true).readDataToEndOfFile(), as: UTF8.self)
  }

  @Test func progressOnATerminal() throws {
    let text = try written(redraws: true) { console in
      var now = 0.0
      let progress = Progress(console: console, clock: { now })
      progress.update { "too early" }
      now = 1.5
      progress.update { "one" }
      progress.update { "too soon" }
      now = 2
      progress.update { "two" }
      console.note("by the way")
      progress.finish()
    }
    #expect(text == "\rone\u{1B}[K\rtwo\u{1B}[K\r\u{1B}[Kmlm: note: by the way\n\rtwo\u{1B}[K\r\u{1B}[K")
  }

  @Test func progressElsewhere() throws {
    let steps = { (console: Console) in
      var now = 0.0
      let progress = Progress(console: console, clock: { now })
      for second in 0..<40 {
        now = Double(second)
        progress.update { "at \(second)" }
      }
      progress.finish()
    }
    #expect(try written(redraws: false, steps) == "at 15\nat 30\n")
    #expect(try written(isQuiet: true, redraws: true, steps) == "")
  }
}
