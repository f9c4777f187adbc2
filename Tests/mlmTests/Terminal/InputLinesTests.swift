import Foundation
import Glibc
import Testing

@testable import mlm

@Suite struct InputLinesTests {
  /// All lines of a pipe with these bytes.
  func lines(_ bytes: [UInt8], batchBytes: Int = 1 << 18) throws -> [[UInt8]] {
    let tool = try Tool()
    let reader = try InputLines(path: try tool.write(bytes, to: "input"))
    var all: [InputLine] = []
    while let batch = try reader.next(batchBytes: batchBytes) {
      #expect(!batch.isEmpty)
      all += batch
    }
    #expect(try reader.next() == nil)
    #expect(all.map(\.number) == Array(1..<(all.count + 1)))
    return all.map(\.bytes)
  }

  func lines(_ text: String) throws -> [String] {
    try lines(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func endsOfLines() throws {
    #expect(try lines("") == [])
    #expect(try lines("a") == ["a"])
    #expect(try lines("a\n") == ["a"])
    #expect(try lines("a\n\nb") == ["a", "", "b"])
    #expect(try lines("\n\n") == ["", ""])
    #expect(try lines("a\r\nb\r\r\nc\r") == ["a", "b\r", "c\r"])
    #expect(try lines("a\u{2028}b\u{85}c\u{0B}d\u{0C}e\rf\ng") == ["a\u{2028}b\u{85}c\u{0B}d\u{0C}e\rf", "g"])
  }

  @Test func byteOrderMark() throws {
    #expect(try lines("\u{FEFF}a\n\u{FEFF}b") == ["a", "\u{FEFF}b"])
    #expect(try lines("\u{FEFF}") == [])
    #expect(try lines("\u{FEFF}\n") == [""])
    #expect(try lines([0xEF, 0xBB]) == [[0xEF, 0xBB]])
  }

  @Test func anyBytes() throws {
    let text = Array("a line of text ".utf8)
    #expect(try lines(text + [0, 0xFF, 0x0A, 0xC3]) == [text + [0, 0xFF], [0xC3]])
  }

  @Test func longLinesAndSmallBatches() throws {
    let long = [UInt8](repeating: 0x61, count: 300_000)
    let all = long + [0x0A] + Array("b\nc\n".utf8) + long
    for size in [1, 2, 3, 1000, 1 << 18] {
      #expect(try lines(all, batchBytes: size) == [long, [0x62], [0x63], long])
    }
  }

  /// The lines in a pipe are returned without waiting for more, so that a coprocess is answered.
  @Test func answersWhatIsThere() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    let reader = InputLines(descriptor: ends[0])
    #expect(writeAll(Array("one\ntwo\nthr".utf8), to: ends[1]) == 0)
    #expect(try reader.next()?.map(\.bytes) == [Array("one".utf8), Array("two".utf8)])
    #expect(writeAll(Array("ee\n".utf8), to: ends[1]) == 0)
    #expect(try reader.next()?.map(\.bytes) == [Array("three".utf8)])
    #expect(writeAll(Array("end".utf8), to: ends[1]) == 0)
    close(ends[1])
    #expect(try reader.next()?.map(\.bytes) == [Array("end".utf8)])
    #expect(try reader.next() == nil)
    close(ends[0])
  }

  /// Input that is not text is refused before a line is returned; if it arrives gradually, as soon as it is detected.
  @Test func onlyText() throws {
    #expect(throws: InputError.self) { try lines([0, 0xFF, 0x0A, 0xC3]) }
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    let reader = InputLines(descriptor: ends[0])
    #expect(writeAll(Array("one\n".utf8), to: ends[1]) == 0)
    #expect(try reader.next()?.map(\.bytes) == [Array("one".utf8)])
    #expect(writeAll([UInt8](repeating: 0, count: 50) + [0x0A], to: ends[1]) == 0)
    #expect(throws: InputError.self) { try reader.next() }
    close(ends[1])
    close(ends[0])
  }

  @Test func badFiles() {
    #expect(throws: InputError.cannotOpen(path: "/nowhere", code: ENOENT)) { try InputLines(path: "/nowhere") }
    #expect(throws: InputError.isDirectory(path: "/tmp")) { try InputLines(path: "/tmp") }
  }
}
