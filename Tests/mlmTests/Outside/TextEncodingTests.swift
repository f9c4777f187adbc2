import Foundation
import Testing

/// Tests inputs of `predict` and `tokenize` that are not UTF-8 text: the error names them, and they are not answered.
@Suite struct TextEncodingTests {
  static let commands = [
    ["predict", "--preset", Tool.micro, "--format", "fill"], ["predict", "--preset", Tool.micro, "--format", "json"],
    ["tokenize", "--preset", Tool.micro], ["tokenize", "--preset", Tool.micro, "--format", "ids"],
  ]
  static let text = "the [MASK].\nShe sat.\n"

  static let encodings: [(String.Encoding, String)] = [
    (.utf16, "UTF-16"), (.utf16LittleEndian, "UTF-16LE"), (.utf16BigEndian, "UTF-16BE"), (.utf32, "UTF-32"),
    (.utf32LittleEndian, "UTF-32LE"), (.utf32BigEndian, "UTF-32BE"),
  ]

  @Test(arguments: commands) func otherEncodings(_ command: [String]) throws {
    let tool = try Tool()
    for (encoding, name) in Self.encodings {
      let bytes = try #require(Self.text.data(using: encoding))
      try tool.write(bytes, to: "text")
      try tool.expectError(
        command + ["--input", "text"], "not a text file: looks like \(name) text [text]",
        hint: "iconv -f \(name) -t UTF-8 FILE | mlm …")
      let piped = try tool.run(command, input: bytes)
      piped.expectError("not a text file: looks like \(name) text [standard input]")
    }
  }

  @Test(arguments: commands) func binary(_ command: [String]) throws {
    let tool = try Tool()
    let program = try FileHandle(forReadingFrom: Tool.executable).read(upToCount: 4000) ?? Data()
    try tool.write(program, to: "program")
    try tool.expectError(
      command + ["--input", "program"], "not a text file: looks like a program (ELF) [program]")
    try tool.write([0x1F, 0x8B, 8, 0, 1, 2, 3], to: "text.gz")
    try tool.expectError(
      command + ["--input", "text.gz"], "not a text file: looks like gzip-compressed data [text.gz]", hint: "zcat")
  }

  /// Only the invalid TEXT fails; the others are answered.
  @Test func arguments() throws {
    let tool = try Tool()
    let result = try tool.shell(
      #"mlm predict --preset "$MICRO" --top-k 1 --format tsv $'\xff\xfeH' 'the [MASK]'"#,
      environment: ["MICRO": Tool.micro])
    #expect(result.status == 1 && result.lines.count == 1 && result.lines[0].hasPrefix("1\t0\t1\t"))
    #expect(result.errors == ["not UTF-8 text: it looks like UTF-16 text [TEXT:1]"])
  }

  /// Input that becomes binary ends the answers; lines before that are answered.
  @Test func streamThatTurnsBinary() throws {
    let tool = try Tool()
    let result = try tool.shell(
      #"(echo 'the [MASK]'; sleep 0.3; head -c 3000 /dev/zero; echo) | mlm predict --preset "$MICRO" --format fill"#,
      environment: ["MICRO": Tool.micro])
    #expect(result.status == 1 && result.lines.count == 1)
    #expect(result.errors == ["not a text file: looks like binary data (99 % NUL bytes) [standard input]"])
  }
}
