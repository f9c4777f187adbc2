import Foundation
import Testing

/// Tests `mlm evaluate` from outside.
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

  /// Without masked tokens, there are no results.
  @Test func nothingMasked() throws {
    let tool = try Tool()
    try tool.write(
      #"{"token_ids":[2,5,4,7,3],"mask_positions":[2],"labels":[6],"sample_weight":[0]}"#, to: "samples.jsonl")
    let result = try tool.run("evaluate", "--preset", Tool.micro, "--preprocessed", "samples.jsonl")
    result.expectError("no token of the samples is masked, so there is nothing to evaluate")
  }

  // MARK: Pseudo-perplexity and single samples

  @Test func pseudoPerplexity() throws {
    let tool = try tool()
    let plain = try evaluate(tool).figures
    let scored = try evaluate(tool, "--pseudo-perplexity").figures
    #expect(Set(scored.keys) == Self.keys.union(["pseudo_log_likelihood", "pseudo_perplexity"]))
    for key in Self.keys { #expect(scored[key] == plain[key], "\(key)") }
    let (sum, perplexity) = (scored["pseudo_log_likelihood"] ?? .nan, scored["pseudo_perplexity"] ?? .nan)
    // [CLS] and [SEP] are not scored.
    let tokens = (scored["tokens"] ?? .nan) - 2 * 50
    #expect(abs(exp(-sum / tokens) / perplexity - 1) < 1e-6)

    let text = try tool.succeed(["evaluate", "text.txt", "--preset", Tool.micro, "--pseudo-perplexity"])
    let fields = text.lines.map { $0.split(separator: " ") }
    #expect(fields.map { String($0[0]) }.suffix(2) == ["pseudo_log_likelihood", "pseudo_perplexity"])
    for field in fields { #expect(Double(field[1]) == scored[String(field[0])]) }

    #expect(try evaluate(tool, "--pseudo-variant", "original").figures == scored)
    let within = try evaluate(tool, "--pseudo-perplexity", "--pseudo-variant", "within-word-l2r").figures
    #expect(within["loss"] == scored["loss"] && within["pseudo_perplexity"] != scored["pseudo_perplexity"])
    // It does not depend on masks and seeds.
    let other = try evaluate(tool, "--pseudo-perplexity", "--seed", "1", "--mask-selection-rate", "0.5").figures
    #expect(other["pseudo_perplexity"] == perplexity && other["loss"] != scored["loss"])
  }

  @Test(arguments: [["--threads", "1"], ["--threads", "3"], ["--batch-size", "1"]])
  func pseudoPerplexityDoesNotDependOn(_ options: [String]) throws {
    let tool = try tool()
    let arguments = ["evaluate", "text.txt", "--preset", Tool.micro, "--per-sample", "--pseudo-perplexity"]
    #expect(try tool.succeed(arguments + options).output == tool.succeed(arguments).output)
  }

  private func objects(_ result: Tool.Result) throws -> [[String: Any]] {
    try result.lines.map { try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
  }

  @Test func samplesOneByOne() throws {
    let tool = try Tool()
    try tool.write("the fox\n\n  \nthe quick brown fox is over the lazy dog\n", to: "a.txt")
    try tool.write("\n" + String(repeating: "the lazy dog ", count: 20), to: "b.txt")
    let arguments = ["evaluate", "--preset", Tool.micro, "a.txt", "b.txt"]
    let result = try tool.succeed(arguments + ["--per-sample"])
    let samples = try objects(result)
    #expect(samples.map { $0["sample"] as? Int } == [0, 1, 2, 3])
    #expect(samples.map { $0["file"] as? String } == ["a.txt", "a.txt", "b.txt", "b.txt"])
    #expect(samples.map { $0["line"] as? Int } == [1, 4, 2, 2])
    #expect(samples.map { $0["tokens"] as? Int } == [4, 11, 48, 16])
    let keys: Set<String> = [
      "sample", "file", "line", "loss", "accuracy", "perplexity", "masked_tokens", "tokens",
    ]
    #expect(samples.allSatisfy { Set($0.keys) == keys })
    // The total follows from them, and is printed as a note.
    let all = try tool.succeed(arguments + ["--format", "json"]).figures
    let masked = samples.map { $0["masked_tokens"] as? Double ?? .nan }
    let losses = samples.map { $0["loss"] as? Double ?? .nan }
    let mean = zip(masked, losses).reduce(0) { $0 + $1.0 * $1.1 } / masked.reduce(0, +)
    #expect(masked.reduce(0, +) == all["masked_tokens"] && abs(mean - (all["loss"] ?? .nan)) < 1e-6)
    #expect(result.messages.contains("4 samples  loss "))
    #expect(try tool.succeed(arguments + ["--per-sample", "--quiet"]).messages.isEmpty)
    #expect(try tool.succeed(arguments + ["--per-sample", "--format", "json"]).output == result.output)

    let scored = try objects(tool.succeed(arguments + ["--per-sample", "--pseudo-perplexity"]))
    #expect(scored.allSatisfy { Set($0.keys) == keys.union(["pseudo_log_likelihood", "pseudo_perplexity"]) })
    for (sample, plain) in zip(scored, samples) { #expect(sample["loss"] as? Double == plain["loss"] as? Double) }
  }

  /// A sample's results do not depend on the samples after it.
  @Test func samplesAreStreamed() throws {
    let tool = try tool()
    let result = try tool.shell(
      "set -o pipefail; mlm evaluate text.txt --preset \"$MICRO\" --per-sample | head -n 1",
      environment: ["MICRO": Tool.micro])
    #expect(result.lines.count == 1 && result.errors.isEmpty && [0, 141].contains(result.status), "\(result.messages)")
    let all = try tool.succeed(["evaluate", "text.txt", "--preset", Tool.micro, "--per-sample"])
    #expect(result.lines.first == all.lines.first)
  }

  @Test func whatASampleHasNoTokenForIsNull() throws {
    let tool = try Tool()
    try tool.write(
      """
      {"token_ids":[2,5,4,7,3],"mask_positions":[2],"labels":[6]}
      {"token_ids":[2,5,6,7,3],"mask_positions":[],"labels":[]}
      {"token_ids":[2,3],"mask_positions":[]}

      """, to: "samples.jsonl")
    let arguments = ["evaluate", "--preset", Tool.micro, "--preprocessed", "--per-sample", "samples.jsonl"]
    let result = try tool.succeed(arguments + ["--pseudo-perplexity"])
    let samples = try objects(result)
    #expect(samples.map { $0["line"] as? Int } == [1, 2, 3])
    #expect(samples.map { $0["loss"] is NSNull } == [false, true, true])
    #expect(samples.map { $0["pseudo_perplexity"] is NSNull } == [false, false, true])
    // Given masks are undone, so the first two are the same text.
    #expect(samples[0]["pseudo_log_likelihood"] as? Double == samples[1]["pseudo_log_likelihood"] as? Double)
  }

  /// A sample without a mask can still be scored.
  @Test func pseudoPerplexityNeedsNoMask() throws {
    let tool = try Tool()
    try tool.write(#"{"token_ids":[2,5,6,7,3],"mask_positions":[],"labels":[]}"#, to: "samples.jsonl")
    let arguments = ["evaluate", "--preset", Tool.micro, "--preprocessed", "samples.jsonl", "--pseudo-perplexity"]
    let text = try tool.succeed(arguments)
    #expect(text.lines.first?.split(separator: " ") == ["loss", "-"])
    let json = try objects(tool.succeed(arguments + ["--format", "json"]))
    #expect(json.first?["loss"] is NSNull && (json.first?["pseudo_perplexity"] as? Double ?? 0) > 1)
    try tool.write(#"{"token_ids":[2,3],"mask_positions":[],"labels":[]}"#, to: "samples.jsonl")
    try tool.expectError(arguments, "no token of the samples is masked, so there is nothing to evaluate")
  }

  @Test func fullDisk() throws {
    let tool = try tool()
    let result = try tool.shell(
      "mlm evaluate --preset \"$MICRO\" text.txt > /dev/full", environment: ["MICRO": Tool.micro])
    result.expectError("cannot write to standard output: no space left on device")
  }
}
