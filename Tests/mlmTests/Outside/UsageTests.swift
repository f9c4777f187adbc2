import Foundation
import Testing

/// Tests wrong usage: exit status 2, one error with a hint, and no effect.
@Suite struct UsageTests {
  @Test(arguments: [
    (["fit", "a.txt", "--epochs", "0"], "--epochs: '0' is not a whole number of at least 1", ""),
    (["fit", "a.txt", "--epochs", "two"], "--epochs: 'two' is not a whole number of at least 1", ""),
    (
      ["fit", "a.txt", "--epochs", "99999999999999999999"],
      "--epochs: '99999999999999999999' is not a whole number of at least 1", ""
    ),
    (["fit", "a.txt", "--learnin-rate", "1"], "unknown option --learnin-rate for 'mlm fit'", "--learning-rate"),
    (["fit", "a.txt", "--lr", "1"], "unknown option --lr for 'mlm fit'", "--learning-rate"),
    (["predict", "--topk", "1"], "unknown option --topk for 'mlm predict'", "--top-k"),
    (["predcit"], "unknown command 'predcit'", "predict"),
    (["completion", "zsh"], "unknown command 'completion'", "'mlm completions'"),
    (["completions"], "no SHELL was given", "bash, zsh or fish"),
    (["completions", "fsh"], "'fsh' is not bash, zsh or fish", "'mlm completions zsh'"),
    (["tokenise", "x"], "unknown command 'tokenise'", "tokenize"),
  ])
  func slips(_ arguments: [String], _ error: String, _ hint: String) throws {
    try Tool().expectError(arguments, error, hint: hint.isEmpty ? nil : hint, status: 2)
  }

  @Test(arguments: [
    ["fit"], ["evaluate"], ["fit", "a.txt", "--learning-rate", "-1"], ["fit", "a.txt", "--learning-rate", "nan"],
    ["fit", "a.txt", "--learning-rate", "inf"], ["fit", "a.txt", "--dropout", "1"], ["fit", "a.txt", "--beta1", "1"],
    ["fit", "a.txt", "--mask-selection-rate", "1.5"], ["fit", "a.txt", "--mask-selection-rate", "0"],
    ["fit", "a.txt", "--mask-token-rate", "0.8", "--random-token-rate", "0.3"], ["fit", "a.txt", "--seed", "-1"],
    ["fit", "a.txt", "--threads", "0"], ["fit", "a.txt", "--threads", "100000"], ["fit", "a.txt", "--batch-size", "0"],
    ["fit", "a.txt", "--validation-split", "1"], ["fit", "a.txt", "--validation-split", "0"],
    ["fit", "a.txt", "--validation", "b", "--validation-split", "0.1"],
    ["fit", "a.txt", "--warmup-steps", "1", "--warmup-ratio", "0.1"],
    ["fit", "a.txt", "--schedule", "linaer"], ["fit", "a.txt", "--epochs"], ["fit", "a.txt", "--overwrite=yes"],
    ["fit", "a.txt", "--resume", "--overwrite"], ["fit", "a.txt", "--samples", "packed", "--pairs"],
    ["evaluate", "a.txt", "--samples", "packed", "--truncate"], ["fit", "a.txt", "--early-stopping", "3"],
    ["evaluate", "a.txt", "--pseudo-variant", "l2r"], ["evaluate", "a.txt", "--per-sample", "--format", "text"],
    ["evaluate", "a.txt", "--top-k", "1"],
    ["predict", "x", "--input", "a.txt"], ["predict", "--top-k", "0"], ["predict", "--format", "xml"],
    ["predict", "--sequence-length", "2"], ["presets", "--format", "tsv"], ["presets", "x"], ["presets", "--download"],
    ["presets", "--verify", ""],
    ["presets", "--download", "--verify", "x"], ["presets", "--verify", "--format", "json", "x"],
    ["completions", "tcsh"], ["completions", "bash", "zsh"], ["completions", "--shell", "bash"], ["manual", "fit"],
    ["--quiet"], ["-x"], ["help", "x"],
  ])
  func refused(_ arguments: [String]) throws {
    let tool = try Tool()
    let result = try tool.run(arguments)
    #expect(result.status == 2, "\(result.status) \(result.messages)")
    #expect(result.errors.count == 1 && result.output.isEmpty && result.messageLines.count <= 2, "\(result.messages)")
    #expect(result.messageLines.dropFirst().allSatisfy { $0.hasPrefix("hint: ") }, "\(result.messages)")
    #expect(tool.names().isEmpty)
  }

  /// A misspelled limit would silently measure the wrong thing.
  @Test func unknownInstructionSetIsRefused() throws {
    let tool = try Tool()
    try tool.expectError(
      ["tokenize", "--preset", Tool.micro, "a"], "MLM_MAX_CPU_ISA: 'avx' is not baseline, avx2, avx512, vnni or amx",
      hint: "unset", status: 2, environment: ["MLM_MAX_CPU_ISA": "avx"])
    for value in ["baseline", "AVX2", "avx512", "vnni", "AMX", ""] {
      let result = try tool.run(
        ["tokenize", "--preset", Tool.micro, "--format", "ids", "a"], environment: ["MLM_MAX_CPU_ISA": value])
      #expect(result.status == 0, "\(value): \(result.messages)")
    }
    #expect(try tool.run(["--version"], environment: ["MLM_MAX_CPU_ISA": "avx"]).status == 0)
  }

  @Test func bothSpellingsAndTheEndOfOptions() throws {
    let tool = try Tool()
    let arguments = ["predict", "--preset", Tool.micro, "--format=tsv"]
    let result = try tool.succeed(arguments + ["--top-k", "2", "a [MASK]"])
    #expect(result.lines.count == 2)
    #expect(try tool.succeed(arguments + ["--top-k=2", "a [MASK]"]).output == result.output)
    #expect(
      try tool.succeed(["predict", "a [MASK]", "--format", "tsv", "--top-k=2", "--preset=\(Tool.micro)"]).output
        == result.output)
    #expect(try tool.succeed(arguments + ["--top-k=1", "--", "--x [MASK]"]).lines.count == 1)
    try tool.write("a b c\n", to: "--strange.txt")
    try tool.succeed(["evaluate", "--preset", Tool.micro, "--", "--strange.txt"])
  }

  @Test func presetFromTheEnvironment() throws {
    let tool = try Tool()
    let result = try tool.run(["predict", "a [MASK]"], environment: ["MLM_PRESET": Tool.micro])
    #expect(result.status == 0 && result.messages == "mlm: note: the model is \(Tool.micro), from MLM_PRESET\n")
    // --preset overrides it, and then no note is printed.
    let typed = try tool.run(["predict", "a [MASK]", "--preset", Tool.micro], environment: ["MLM_PRESET": "nonsense"])
    #expect(typed.output == result.output && typed.messages.isEmpty)
  }

  @Test func threadsFromTheEnvironment() throws {
    let tool = try Tool()
    for value in ["1", "2", "nonsense", "0", "-1", "99999999"] {
      let result = try tool.run(
        ["predict", "a [MASK]", "--preset", Tool.micro], environment: ["OMP_NUM_THREADS": value])
      #expect(result.status == 0 && result.messages.isEmpty, "\(value): \(result.messages)")
    }
  }

  @Test func presets() throws {
    let tool = try Tool()
    let text = try tool.succeed(["presets"])
    #expect(text.lines.count == 5 && text.lines.first?.hasPrefix("NAME") == true && text.messages.isEmpty)
    let json = try tool.succeed(["presets", "--format", "json"])
    let list = try #require(JSONSerialization.jsonObject(with: json.stdout) as? [[String: Any]])
    #expect(
      list.compactMap { $0["name"] as? String } == [
        "distil_bert_base_en_uncased", "distil_bert_base_en", "distil_bert_base_multi", "distil_bert_tiny_en_uncased",
      ])
  }

  /// Without preparation and without --preset, commands use the built-in preset.
  @Test func embeddedPreset() throws {
    let tool = try Tool()
    let name = "distil_bert_tiny_en_uncased"
    let arguments = ["predict", "She opened the [MASK] and went into the house.", "--format", "fill"]
    let result = try tool.succeed(arguments)
    #expect(result.output == "She opened the door and went into the house.\n")
    #expect(result.messageLines.count == 1 && result.messages.hasPrefix("mlm: note: the model is \(name)"))
    #expect(result.messages.contains("--preset distil_bert_base_en_uncased"))
    let named = try tool.succeed(arguments + ["--preset", name])
    #expect(named.output == result.output && named.messages.isEmpty)
    try tool.write("The rain fell on the roof of the old house.\n", to: "text.txt")
    #expect(try tool.succeed(["evaluate", "text.txt"]).messages.contains(name))
    let random = try tool.succeed(arguments + ["--no-load-weights", "--seed", "1"])
    #expect(random.output != result.output)
    #expect(tool.names() == ["text.txt"])
  }
}
