import Foundation
import Testing

/// Tests `mlm tokenize` from outside.
@Suite struct TokenizeTests {
  static let tokenize = ["tokenize", "--preset", Tool.micro]

  @Test func json() throws {
    let tool = try Tool()
    let result = try tool.succeed(Self.tokenize + ["a \u{C9}b  the", ""])
    #expect(result.lines.count == 2 && result.lines[1] == #"{"token_ids":[],"tokens":[],"offsets":[]}"#)
    let object = try #require(JSONSerialization.jsonObject(with: Data(result.lines[0].utf8)) as? [String: Any])
    let ids = try #require(object["token_ids"] as? [Int])
    let tokens = try #require(object["tokens"] as? [String])
    let offsets = try #require(object["offsets"] as? [[Int]])
    #expect(
      Set(object.keys) == ["token_ids", "tokens", "offsets"] && ids.count == tokens.count && ids.count == offsets.count)
    #expect(tokens.first == "a" && tokens.last == "the" && offsets.first == [0, 1] && offsets.last == [7, 10])
    // Offsets count the bytes of the input: É takes two.
    #expect(offsets[1][0] == 2)
  }

  @Test func idsAndTokensAndBack() throws {
    let tool = try Tool()
    let text = "the cat\nit is\n"
    let ids = try tool.succeed(Self.tokenize + ["--format", "ids"], input: text)
    let tokens = try tool.succeed(Self.tokenize + ["--format", "tokens"], input: text)
    #expect(
      ids.lines.count == 2
        && zip(ids.lines, tokens.lines).allSatisfy { $0.split(separator: " ").count == $1.split(separator: " ").count })
    #expect(try tool.succeed(Self.tokenize + ["--decode"], input: ids.output).output == text)
    let around = try tool.succeed(Self.tokenize + ["--format", "ids", "--add-special-tokens"], input: text)
    #expect(around.lines == ids.lines.map { "2 \($0) 3" })
  }

  @Test func specialTokensInText() throws {
    let tool = try Tool()
    let plain = try tool.succeed(Self.tokenize + ["--format", "ids", "a [MASK]"])
    let special = try tool.succeed(Self.tokenize + ["--format", "ids", "--special-tokens-in-text", "a [MASK]"])
    #expect(special.output == "5 4\n" && plain.output != special.output)
  }

  @Test func badIDs() throws {
    let tool = try Tool()
    let result = try tool.run(
      Self.tokenize + ["--decode"], input: Data("5\nx y\n256\n-1\n99999999999999999999\n6\n".utf8))
    #expect(result.status == 1 && result.lines == ["a", "", "", "", "", "b"], "\(result.output)")
    #expect(
      result.errors == [
        "'x' is not a token id [standard input:2]", "token id 256 is outside the vocabulary of 256 [standard input:3]",
        "token id -1 is outside the vocabulary of 256 [standard input:4]",
        "'99999999999999999999' is not a token id [standard input:5]",
      ])
  }

  @Test func strict() throws {
    let tool = try Tool()
    let input = Data([0x61, 0x20, 0xFF, 0x0A, 0x62, 0x0A])
    let strict = try tool.run(Self.tokenize + ["--strict", "--format", "ids"], input: input)
    #expect(strict.status == 1 && strict.lines == ["", "6"])
    #expect(strict.errors == ["invalid UTF-8 at byte 3 of the line [standard input:1]"])
    let loose = try tool.run(Self.tokenize + ["--format", "ids"], input: input)
    #expect(
      loose.status == 0 && loose.lines.count == 2 && loose.messages.hasPrefix("mlm: warning: 1 invalid UTF-8 sequence"))
  }

  /// Only the tokenizer is needed.
  @Test func withoutWeights() throws {
    let tool = try Tool()
    try tool.copyMicro()
    try tool.remove("model/model.safetensors")
    try tool.remove("model/config.json")
    #expect(try tool.succeed(["tokenize", "--preset", "model", "--format", "ids", "a b"]).output == "5 6\n")
    #expect(
      try tool.succeed(["tokenize", "--preset", "distil_bert_tiny_en_uncased", "--format", "tokens", "the"]).output
        == "the\n")
  }

  @Test func longLines() throws {
    let tool = try Tool()
    let text = String(repeating: "a ", count: 200_000) + String(repeating: "b", count: 100_000) + "\n"
    let ids = try tool.succeed(Self.tokenize + ["--format", "ids"], input: text)
    // A word of more than 100 letters is unknown.
    #expect(ids.output == String(repeating: "5 ", count: 200_000) + "1\n")
  }
}
