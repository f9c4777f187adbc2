import Foundation
import Testing

/// `mlm evaluate` from outside.
@Suite struct EvaluateTests {
  static let keys: Set<String> = ["loss", "accuracy", "perplexity", "masked_tokens", "tokens", "samples"]

  private func tool() throws -> Tool {
    let tool = try Tool()
    let lines = (0..<50).map { "line \($0)" + String(repeating: " and it is", count: $0 % 9) + " the end" }
    try tool.write(lines.joined(separator: "\n"), to: "text.txt")
    return tool
  }

  private func evaluate(_ tool: Tool, _ options: String...) throws -> Tool.Result {
    try tool.succeed(["evaluate", "text.txt", "--preset", Tool.micro, "--format", "json"] + options)
  }

  @Test func formats() throws {
    let tool = try tool()
    let json = try evaluate(tool)
    #expect(json.lines.count == 1 && Set(json.figures.keys) == Self.keys && json.messages.isEmpty)
    let (loss, perplexity) = (json.figures["loss"] ?? .nan, json.figures["perplexity"] ?? .nan)
    #expect(abs(exp(loss) / perplexity - 1) < 1e-6)
    #expect(json.figures["samples"] == 50)
    let text = try tool.succeed(["evaluate", "text.txt", "--preset", Tool.micro])
    let fields = text.lines.map { $0.split(separator: " ") }
    #expect(Set(fields.map { String($0[0]) }) == Self.keys && fields.allSatisfy { $0.count == 2 })
    for field in fields { #expect(Double(field[1]) == json.figures[String(field[0])]) }
  }

  @Test(arguments: [
    ["--batch-size", "1"], ["--batch-size", "7"], ["--threads", "1"], ["--threads", "3"], ["--quiet"],
  ])
  func figuresDoNotDependOn(_ options: [String]) throws {
    let tool = try tool()
    let plain = try evaluate(tool)
    let result = try tool.succeed(["evaluate", "text.txt", "--preset", Tool.micro, "--format", "json"] + options)
    #expect(result.output == plain.output)
  }

  @Test func figuresDependOn() throws {
    let tool = try tool()
    let plain = try evaluate(tool).figures
    #expect(try evaluate(tool, "--seed", "1").figures != plain)
    #expect(try evaluate(tool, "--no-load-weights").figures["loss"] != plain["loss"])
    #expect(
      (try evaluate(tool, "--mask-selection-rate", "0.5").figures["masked_tokens"] ?? 0) > 2
        * (plain["masked_tokens"] ?? 0))
    #expect(try evaluate(tool, "--mask-selection-length", "1").figures["masked_tokens"] == 50)
    #expect((try evaluate(tool, "--sequence-length", "10").figures["samples"] ?? 0) > 50)
    #expect(try evaluate(tool, "--sequence-length", "10", "--truncate").figures["samples"] == 50)
  }

  @Test func standardInputAndSeveralFiles() throws {
    let tool = try tool()
    let plain = try evaluate(tool)
    let text = String(decoding: try tool.read("text.txt"), as: UTF8.self)
    let arguments = ["evaluate", "--preset", Tool.micro, "--format", "json"]
    #expect(try tool.succeed(arguments + ["-"], input: text).output == plain.output)
    #expect(try tool.succeed(arguments + ["-"], input: "\u{FEFF}" + text + "\n").output == plain.output)
    #expect(
      try tool.succeed(arguments + ["-"], input: text.replacingOccurrences(of: "\n", with: "\r\n")).output
        == plain.output)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    try tool.write(lines.prefix(20).joined(separator: "\n"), to: "a.txt")
    try tool.write(lines.dropFirst(20).joined(separator: "\n"), to: "b.txt")
    #expect(try tool.succeed(arguments + ["a.txt", "b.txt"]).output == plain.output)
    #expect(try tool.succeed(arguments + ["b.txt", "a.txt"]).output != plain.output)
    #expect(tool.names() == ["a.txt", "b.txt", "text.txt"])
  }

  @Test func namesInTheTextAreText() throws {
    let tool = try Tool()
    try tool.write("[MASK] [SEP] [PAD]\n", to: "a.txt")
    try tool.write("[ MASK ] [ SEP ] [ PAD ]\n", to: "b.txt")
    let arguments = ["evaluate", "--preset", Tool.micro]
    #expect(try tool.succeed(arguments + ["a.txt"]).output == tool.succeed(arguments + ["b.txt"]).output)
  }

  /// Figures of no token would be made up.
  @Test func nothingMasked() throws {
    let tool = try Tool()
    try tool.write(
      #"{"token_ids":[2,5,4,7,3],"mask_positions":[2],"labels":[6],"sample_weight":[0]}"#, to: "samples.jsonl")
    let result = try tool.run("evaluate", "--preset", Tool.micro, "--preprocessed", "samples.jsonl")
    result.expectError("no token of these samples is masked, so that there is nothing to evaluate")
  }

  @Test func fullDisk() throws {
    let tool = try tool()
    let result = try tool.shell(
      "mlm evaluate --preset \"$MICRO\" text.txt > /dev/full", environment: ["MICRO": Tool.micro])
    result.expectError("cannot write to standard output: no space left on device")
  }
}
