import Foundation
import Testing

/// Tests the masking options of `evaluate` and `fit` from outside.
@Suite struct MaskingTests {
  /// 40 lines of six words of five pieces each.
  private func tool() throws -> Tool {
    let tool = try Tool()
    let line = Array(repeating: "tamarwexta", count: 6).joined(separator: " ")
    try tool.write(Array(repeating: line, count: 40).joined(separator: "\n") + "\n", to: "text.txt")
    return tool
  }

  /// The number of masked tokens of each sample.
  private func counts(_ tool: Tool, _ options: String...) throws -> [Int] {
    let result = try tool.succeed(["evaluate", "text.txt", "--preset", Tool.micro, "--per-sample"] + options)
    return try result.lines.map { line in
      let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      #expect(object["tokens"] as? Int == 32)
      return try #require(object["masked_tokens"] as? Int)
    }
  }

  @Test func wholeWords() throws {
    let tool = try tool()
    // ⌈0.3 · 30⌉ tokens, or ⌈0.3 · 6⌉ words of five.
    #expect(try counts(tool, "--mask-selection-rate", "0.3") == Array(repeating: 9, count: 40))
    let words = try counts(tool, "--mask-selection-rate", "0.3", "--whole-word-masking")
    #expect(words == Array(repeating: 10, count: 40))
    // A word that does not fit completely is skipped.
    #expect(
      try counts(tool, "--mask-selection-rate", "0.3", "--whole-word-masking", "--mask-selection-length", "9")
        == Array(repeating: 5, count: 40))
  }

  @Test func samplingOfEachByItself() throws {
    let tool = try tool()
    let tokens = try counts(tool, "--mask-selection-rate", "0.3", "--mask-sampling", "bernoulli")
    #expect(Set(tokens).count > 3 && (300...420).contains(tokens.reduce(0, +)), "\(tokens)")
    let words = try counts(
      tool, "--mask-selection-rate", "0.3", "--mask-sampling", "bernoulli", "--whole-word-masking")
    #expect(Set(words).count > 2 && words.allSatisfy { $0 % 5 == 0 }, "\(words)")
    #expect((200...520).contains(words.reduce(0, +)), "\(words)")
    #expect(try counts(tool, "--mask-selection-rate", "0.3", "--mask-sampling", "exact").allSatisfy { $0 == 9 })
  }

  /// [UNK] is not masked, except with --mask-unknown, as in KerasHub.
  @Test func unknown() throws {
    let tool = try Tool()
    try tool.write(String(repeating: "☃ ☃ ☃ the\n", count: 20), to: "text.txt")
    let evaluate = ["evaluate", "text.txt", "--preset", Tool.micro, "--format", "json", "--mask-selection-rate", "1"]
    #expect(try tool.succeed(evaluate).figures["masked_tokens"] == 20)
    #expect(try tool.succeed(evaluate + ["--mask-unknown"]).figures["masked_tokens"] == 80)
    let fit = ["fit", "text.txt", "--preset", Tool.micro, "--max-steps", "1", "--quiet"]
    try tool.succeed(fit + ["--mask-unknown", "--output", "a"])
    try tool.succeed(fit + ["--output", "b"])
    #expect(try tool.read("a/model.safetensors") != tool.read("b/model.safetensors"))
    // A resumed run must share the option.
    #expect(String(decoding: try tool.read("a/training.json"), as: UTF8.self).contains("\"mask-unknown\": true"))
    try tool.succeed(["fit", "--config", "a/training.json", "--output", "c", "--quiet"])
    #expect(try tool.read("a/model.safetensors") == tool.read("c/model.safetensors"))
    let resumed = try tool.run(fit + ["--output", "a", "--resume"])
    resumed.expectError("cannot resume: --mask-unknown changed from on to off")
  }

  /// If more than 1 % of the tokens are [UNK], each run prints one warning with the cause.
  @Test func warningOfUnknown() throws {
    let tool = try Tool()
    try tool.write(String(repeating: "☃ ☃ ☃ the\n", count: 20), to: "text.txt")
    let warning =
      "mlm: warning: 60 of 80 tokens (75.0 %) are [UNK], mostly words with characters outside the vocabulary, such as '☃' in '☃'"
    let fit = ["fit", "text.txt", "--validation", "text.txt", "--max-steps", "1", "--overwrite"]
    for command in [
      ["evaluate", "text.txt", "--preset", Tool.micro], fit + ["--preset", Tool.micro],
      ["tokenize", "--input", "text.txt", "--preset", Tool.micro],
    ] {
      let result = try tool.succeed(command)
      #expect(result.messageLines.filter { $0.hasPrefix("mlm: warning: ") } == [warning], "\(result.messages)")
      #expect(try tool.succeed(command + ["--quiet"]).messages.isEmpty)
    }
    // With a learned vocabulary, words that are too long are [UNK].
    let long = String(repeating: "x", count: 200)
    try tool.write(String(repeating: "the \(long) the\n", count: 20), to: "text.txt")
    let learned = try tool.succeed(
      fit + ["--learn-vocabulary", "40", "--layers", "1", "--hidden-dim", "8", "--heads", "1"])
    #expect(
      learned.messageLines.filter { $0.hasPrefix("mlm: warning: ") }
        == [
          "mlm: warning: 20 of 60 tokens (33.3 %) are [UNK], mostly words of more than 100 characters, such as 'xxxxxxxxxxxxxxxxxxxx…'"
        ], "\(learned.messages)")
  }

  /// Before its first update, `fit` reports the same loss as `evaluate`, with the same masks by the same options.
  @Test(arguments: [
    [], ["--whole-word-masking"], ["--mask-sampling", "bernoulli"],
    ["--whole-word-masking", "--mask-sampling", "bernoulli"], ["--mask-selection-rate", "0.5"],
    ["--mask-token-rate", "0", "--random-token-rate", "1"], ["--mask-selection-length", "2"],
  ])
  func fitMasksAsEvaluateDoes(_ options: [String]) throws {
    let tool = try tool()
    let arguments = ["text.txt", "--preset", Tool.micro, "--seed", "3"]
    let expected = try tool.succeed(["evaluate", "--format", "json"] + arguments + options).figures
    try tool.succeed(
      ["fit", "--log", "log.csv", "--max-steps", "1", "--batch-size", "40", "--dropout", "0"] + arguments + options)
    let history = History(try tool.read("log.csv"))
    let (loss, accuracy) = (try #require(expected["loss"]), try #require(expected["accuracy"]))
    #expect(abs((history.numbers("loss").first ?? .nan) - loss) < 1e-5 * loss)
    #expect(abs((history.numbers("accuracy").first ?? .nan) - accuracy) < 1e-6)
    if !options.isEmpty {
      let plain = try tool.succeed(["evaluate", "--format", "json"] + arguments).figures
      #expect(plain["loss"] != loss)
    }
  }

  @Test func aRowForEachStep() throws {
    let tool = try tool()
    let fit = ["fit", "text.txt", "--preset", Tool.micro, "--batch-size", "10", "--overwrite", "--log", "log.csv"]
    func steps(_ options: String...) throws -> [Double] {
      try tool.succeed(fit + options)
      return History(try tool.read("log.csv")).numbers("step")
    }
    // The end of an epoch and its last step share a row.
    #expect(try steps("--log-every", "1", "--epochs", "2") == [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(try steps("--log-every", "3", "--epochs", "2") == [3, 4, 6, 8])
    #expect(try steps("--epochs", "2") == [4, 8])
  }
}
