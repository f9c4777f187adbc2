import Foundation
import Testing

/// Tests files that are not text, from outside: one error, the right status, nothing written.
@Suite struct BadInputTests {
  static let fit = ["fit", "--preset", Tool.micro]
  static let evaluate = ["evaluate", "--preset", Tool.micro]
  static let both = [fit, evaluate]

  @Test(arguments: both) func missing(_ command: [String]) throws {
    let tool = try Tool()
    try tool.expectError(command + ["missing.txt"], "missing.txt: no such file or directory")
    try tool.write("good text\n", to: "good.txt")
    try tool.expectError(command + ["good.txt", "missing.txt"], "missing.txt: no such file or directory")
    try tool.expectError(command + ["good.txt/x"], "good.txt/x is not a directory")
  }

  @Test(arguments: both) func withoutText(_ command: [String]) throws {
    let tool = try Tool()
    try tool.write("", to: "empty.txt")
    try tool.write("\u{FEFF}", to: "mark.txt")
    try tool.write("  \n\t\n\n", to: "blank.txt")
    let hint = "at least one line of text"
    try tool.expectError(command + ["empty.txt"], "the file is empty [empty.txt]", hint: hint)
    try tool.expectError(
      command + ["blank.txt"], "no text: all 3 lines contain only white space [blank.txt]", hint: hint)
    let mark = try tool.run(command + ["mark.txt"])
    #expect(mark.status == 1 && mark.errors.count == 1 && mark.output.isEmpty)
    try tool.expectError(command + ["-"], "the file is empty [standard input]", hint: hint)
  }

  @Test(arguments: both) func directory(_ command: [String]) throws {
    let tool = try Tool()
    try tool.write("x", to: "folder/file")
    try tool.expectError(command + ["folder"], "folder is a directory, not a file")
  }

  @Test(arguments: both) func binary(_ command: [String]) throws {
    let tool = try Tool()
    try tool.write([0x61, 0, 0x62, 0x0A], to: "nul.txt")
    try tool.expectError(
      command + ["nul.txt"], "not a text file: looks like binary data (25 % NUL bytes) [nul.txt]", hint: "iconv")
    let program = try FileHandle(forReadingFrom: Tool.executable).read(upToCount: 4000) ?? Data()
    try tool.write(program, to: "program")
    try tool.expectError(command + ["program"], "not a text file: looks like a program (ELF) [program]")
    try tool.write([0x1F, 0x8B, 8, 0, 1, 2, 3], to: "text.gz")
    try tool.expectError(
      command + ["text.gz"], "not a text file: looks like gzip-compressed data [text.gz]", hint: "zcat")
  }

  @Test(arguments: both) func strictUTF8(_ command: [String]) throws {
    let tool = try Tool()
    try tool.write(Array("good line\nb".utf8) + [0xFF] + Array("d line\n".utf8), to: "latin.txt")
    try tool.expectError(
      command + ["--strict", "latin.txt"],
      "invalid UTF-8 at byte 2 of the line (offset 11 in the file) [latin.txt:2]", hint: "--strict")
  }

  @Test func looseUTF8() throws {
    let tool = try Tool()
    try tool.write(Array("good line\nb".utf8) + [0xFF] + Array("d line \u{E4}".utf8) + [0xC3, 0x0A], to: "latin.txt")
    let result = try tool.succeed(Self.evaluate + ["latin.txt"])
    #expect(result.messages.contains("2 invalid UTF-8 sequences"))
    #expect(result.messages.contains("latin.txt:2"))
    #expect(try tool.succeed(Self.evaluate + ["latin.txt", "--quiet"]).messages.isEmpty)
    // The same text with U+FFFD instead of the invalid bytes gives the same result.
    try tool.write("good line\nb\u{FFFD}d line \u{E4}\u{FFFD}\n", to: "replaced.txt")
    #expect(try tool.succeed(Self.evaluate + ["replaced.txt"]).output == result.output)
  }

  @Test(.enabled(if: Tool.bound != nil, "root can read everything, and there is no setpriv"))
  func unreadable() throws {
    let (tool, bound) = (try Tool(), Tool.bound ?? "")
    try tool.copyMicro()
    chmod(try tool.write("text\n", to: "secret.txt"), 0)
    // A folder that the user who runs `mlm` here can write to.
    try tool.write("", to: "open/file")
    chmod(tool.path("open"), 0o777)
    for command in ["fit --output open/none", "evaluate"] {
      let result = try tool.shell("\(bound)mlm \(command) --preset model secret.txt")
      result.expectError("secret.txt: no permission to read it")
    }
    let result = try tool.shell("\(bound)mlm predict --preset model --input secret.txt")
    result.expectError("cannot open secret.txt: permission denied")
    chmod(tool.path("model/model.safetensors"), 0)
    let weights = try tool.shell("\(bound)mlm predict --preset model 'a [MASK]'")
    weights.expectError("model/model.safetensors: no permission to read it")
  }

  @Test func standardInputTwice() throws {
    let tool = try Tool()
    for command in Self.both {
      let result = try tool.run(command + ["-", "-"])
      result.expectError("standard input (-) was given more than once", status: 2)
    }
    let result = try tool.run(Self.fit + ["-", "--validation", "-"])
    #expect(result.status == 2 && result.errors.count == 1)
  }

  @Test func validationText() throws {
    let tool = try Tool()
    try tool.write("some good text\n", to: "good.txt")
    try tool.write("", to: "empty.txt")
    try tool.expectError(Self.fit + ["good.txt", "--validation", "nope"], "nope: no such file or directory")
    try tool.expectError(Self.fit + ["good.txt", "--validation", "empty.txt"], "the file is empty [empty.txt]")
    try tool.expectError(
      Self.fit + ["good.txt", "--validation-split", "0.5"],
      "1 line of text cannot be split into training and validation", hint: "separate file")
  }

  @Test func predictAndTokenize() throws {
    let tool = try Tool()
    try tool.write("x", to: "folder/file")
    for command in ["predict", "tokenize"] {
      let arguments = [command, "--preset", Tool.micro, "--input"]
      try tool.expectError(arguments + ["nope"], "cannot open nope: no such file or directory")
      try tool.expectError(arguments + ["folder"], "folder is a directory, not a file")
    }
  }

  @Test func namesOfFilesStayOnTheLine() throws {
    let tool = try Tool()
    let result = try tool.run(Self.fit + ["a\nb\u{1B}[2J"])
    result.expectError("a\\nb\\x1b[2J: no such file or directory")
  }

  @Test func oneBadLineOfPredict() throws {
    let tool = try Tool()
    try tool.write([0x62, 0xFF] + Array(" [MASK]\nok [MASK]\n".utf8), to: "lines.txt")
    let arguments = ["predict", "--preset", Tool.micro, "--format", "json", "--top-k", "1", "--input", "lines.txt"]
    let strict = try tool.run(arguments + ["--strict"])
    #expect(strict.errors == ["invalid UTF-8 at byte 2 of the line [lines.txt:1]"] && strict.status == 1)
    #expect(strict.lines.first == #"{"line":1,"error":"invalid UTF-8 at byte 2 of the line"}"#)
    #expect(strict.lines.count == 2 && strict.lines.last?.contains("\"score\"") == true)
    let loose = try tool.run(arguments)
    #expect(
      loose.status == 0 && loose.messageLines.count == 1
        && loose.messages.hasPrefix("mlm: warning: 1 invalid UTF-8 sequence"))
    #expect(loose.lines.first?.contains("b\u{FFFD} ") == true && loose.lines.last == strict.lines.last)
  }
}
