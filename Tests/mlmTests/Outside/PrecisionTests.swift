import Foundation
import Testing

/// Tests `--precision` and `--against` from outside.
@Suite struct PrecisionTests {
  static let names = ["float32", "bfloat16", "int8"]

  let tool: Tool
  init() throws {
    tool = try Tool()
    let lines = (0..<50).map { "line \($0)" + String(repeating: " and it is", count: $0 % 9) + " the end" }
    try tool.write(lines.joined(separator: "\n"), to: "text.txt")
  }

  // MARK: predict

  private func predict(_ precision: String, _ options: [String], lines: [String]) throws -> [String] {
    try tool.succeed(
      ["predict", "--preset", Tool.micro, "--format", "tsv", "--precision", precision] + options,
      input: lines.joined(separator: "\n")
    ).lines
  }

  /// A text's answers do not depend on what is computed with it.
  @Test(arguments: names) func answersDoNotDependOnTheBatch(_ precision: String) throws {
    let lines = (0..<40).map { "a" + String(repeating: " line", count: $0 * 5 % 19) + " [MASK] of [MASK] x" }
    let together = try predict(precision, ["--batch-tokens", "100000"], lines: lines)
    #expect(together.count == 400)
    for options in [["--batch-tokens", "1"], ["--threads", "1"], ["--threads", "2"], ["--threads", "5"]] {
      #expect(try predict(precision, options, lines: lines) == together, "\(options)")
    }
    // Each text in a process of its own.
    for index in [0, 1, 7, 19] {
      let alone = try predict(precision, [], lines: [lines[index]])
      #expect(
        alone.map { $0.drop { $0 != "\t" } } == together[index * 10..<index * 10 + 10].map { $0.drop { $0 != "\t" } })
    }
  }

  /// Lines that arrive one by one are answered as in a batch.
  @Test(arguments: names) func lineByLine(_ precision: String) throws {
    let together = try predict(
      precision, ["--top-k", "2"], lines: ["a [MASK]", "the long line of [MASK] and it", "c [MASK]"])
    let result = try tool.shell(
      """
      coproc mlm predict --preset "$MICRO" --format tsv --top-k 2 --precision \(precision)
      for text in 'a [MASK]' 'the long line of [MASK] and it' 'c [MASK]'; do
        printf '%s\\n' "$text" >&${COPROC[1]}
        for row in 1 2; do IFS= read -r -t 60 answer <&${COPROC[0]} && printf '%s\\n' "$answer"; done
      done
      """, environment: ["MICRO": Tool.micro])
    #expect(result.lines == together, "\(result.messages)")
  }

  @Test func precisionsDiffer() throws {
    let text = ["the [MASK] line"]
    let outputs = try Self.names.map { try predict($0, [], lines: text) }
    #expect(Set(outputs).count == 3)
    let plain = try tool.succeed(["predict", "--preset", Tool.micro, "--format", "tsv"], input: text[0])
    #expect(plain.lines == outputs[0])
    // Random weights have a precision, too.
    let random = try Self.names.map { try predict($0, ["--no-load-weights", "--seed", "3"], lines: text) }
    #expect(Set(random).count == 3 && Set(random).isDisjoint(with: outputs))
  }

  // MARK: MLM_PRECISION

  @Test func variable() throws {
    let arguments = ["predict", "--preset", Tool.micro, "--format", "tsv", "the [MASK] line"]
    for name in Self.names + [""] {
      let result = try tool.run(arguments, environment: ["MLM_PRECISION": name])
      let typed = try tool.succeed(arguments + ["--precision", name.isEmpty ? "float32" : name])
      #expect(result.status == 0 && result.messages.isEmpty && result.output == typed.output, "\(name)")
    }
    // --precision overrides it.
    let both = try tool.run(arguments + ["--precision", "int8"], environment: ["MLM_PRECISION": "nonsense"])
    #expect(both.output == (try tool.succeed(arguments + ["--precision", "int8"]).output) && both.messages.isEmpty)
  }

  @Test(arguments: [
    ["predict", "a [MASK]"], ["evaluate", "text.txt"], ["info"],
    ["presets", "--verify", "distil_bert_tiny_en_uncased"],
  ])
  func invalidVariable(_ arguments: [String]) throws {
    for (name, hint) in [("fp16", "did you mean bfloat16?"), ("int9", "did you mean int8?"), ("x", "unset it")] {
      try tool.expectError(
        arguments, "MLM_PRECISION: '\(name)' is not float32, bfloat16 or int8", hint: hint, status: 2,
        environment: ["MLM_PRECISION": name])
    }
  }

  /// Training is in float32, whatever the variable says.
  @Test func fitIgnoresTheVariable() throws {
    let arguments = ["fit", "text.txt", "--preset", Tool.micro, "--max-steps", "1", "--batch-size", "2", "--output"]
    try tool.succeed(arguments + ["plain"])
    for (name, output) in [("int8", "a"), ("nonsense", "b")] {
      let result = try tool.run(arguments + [output], environment: ["MLM_PRECISION": name])
      #expect(result.status == 0, "\(result.messages)")
      #expect(try tool.read("\(output)/model.safetensors") == tool.read("plain/model.safetensors"))
    }
  }

  // MARK: evaluate --against

  private func objects(_ result: Tool.Result) throws -> [[String: Any]] {
    try result.lines.map { try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
  }

  private func evaluate(_ options: String...) throws -> [String: Any] {
    try objects(tool.succeed(["evaluate", "text.txt", "--preset", Tool.micro, "--format", "json"] + options))[0]
  }

  private static let comparisonKeys = [
    "precision", "against", "against_loss", "against_accuracy", "against_perplexity", "equal_first_answers",
    "kl_divergence",
  ]

  @Test func againstItself() throws {
    for name in Self.names {
      let found = try evaluate("--precision", name, "--against", name)
      #expect(Set(found.keys) == EvaluateTests.keys.union(Self.comparisonKeys))
      #expect(found["equal_first_answers"] as? Double == 1 && found["kl_divergence"] as? Double == 0)
      #expect(found["precision"] as? String == name && found["against"] as? String == name)
      for key in ["loss", "accuracy", "perplexity"] {
        #expect(found[key] as? Double == found["against_" + key] as? Double, "\(name) \(key)")
      }
    }
  }

  @Test func againstFloat32() throws {
    let (int8, float32) = (try evaluate("--precision", "int8"), try evaluate())
    let found = try evaluate("--precision", "int8", "--against", "float32")
    for key in EvaluateTests.keys { #expect(found[key] as? Double == int8[key] as? Double, "\(key)") }
    for key in ["loss", "accuracy", "perplexity"] {
      #expect(found["against_" + key] as? Double == float32[key] as? Double, "\(key)")
    }
    let divergence = try #require(found["kl_divergence"] as? Double)
    #expect(divergence > 0 && divergence < 0.05 && int8["loss"] as? Double != float32["loss"] as? Double)
    #expect(
      try evaluate("--precision", "int8", "--against", "float32", "--threads", "1")["kl_divergence"] as? Double
        == divergence)
    // The divergence has a direction.
    #expect(try evaluate("--against", "int8")["kl_divergence"] as? Double != divergence)
    // Text has the same figures.
    let text = try tool.succeed([
      "evaluate", "text.txt", "--preset", Tool.micro, "--precision", "int8", "--against", "float32",
    ])
    let fields = text.lines.map { $0.split(separator: " ") }
    #expect(fields.suffix(7).map { String($0[0]) } == Self.comparisonKeys)
    #expect(Double(fields.last?.last ?? "") == divergence)
  }

  @Test func inputsOfEveryKind() throws {
    let whole = try evaluate("--precision", "int8", "--against", "float32")
    let arguments = [
      "evaluate", "--preset", Tool.micro, "--format", "json", "--precision", "int8", "--against", "float32",
    ]
    let text = String(decoding: try tool.read("text.txt"), as: UTF8.self)
    #expect(try objects(tool.succeed(arguments + ["-"], input: text))[0] as NSDictionary == whole as NSDictionary)
    let lines = text.split(separator: "\n")
    try tool.write(lines.prefix(20).joined(separator: "\n"), to: "a.txt")
    try tool.write(lines.dropFirst(20).joined(separator: "\n"), to: "b.txt")
    #expect(try objects(tool.succeed(arguments + ["a.txt", "b.txt"]))[0] as NSDictionary == whole as NSDictionary)
    // Preprocessed samples; a weight of 0 counts nowhere.
    try tool.write(
      """
      {"token_ids":[2,5,4,7,3],"mask_positions":[2],"labels":[6]}
      {"token_ids":[2,5,4,7,4,3],"mask_positions":[2,4],"labels":[6,9],"sample_weight":[0,2]}

      """, to: "samples.jsonl")
    let samples = arguments + ["--preprocessed", "samples.jsonl"]
    let all = try objects(tool.succeed(samples))[0]
    let each = try objects(tool.succeed(samples + ["--per-sample"]))
    let keys =
      Self.comparisonKeys.dropFirst(2) + [
        "sample", "file", "line", "loss", "accuracy", "perplexity", "masked_tokens", "tokens",
      ]
    #expect(each.count == 2 && each.allSatisfy { Set($0.keys) == Set(keys) })
    let values = each.compactMap { $0["kl_divergence"] as? Double }
    #expect(abs((values[0] + 2 * values[1]) / 3 - (all["kl_divergence"] as? Double ?? .nan)) < 1e-8)
    #expect(try tool.succeed(samples + ["--per-sample"]).messages.contains("equal first answers "))
  }

  @Test func pseudoPerplexityOfBoth() throws {
    try tool.write("the end of the line\n", to: "text.txt")
    let found = try evaluate("--precision", "int8", "--against", "float32", "--pseudo-perplexity")
    let own = try evaluate("--precision", "int8", "--pseudo-perplexity"), other = try evaluate("--pseudo-perplexity")
    for key in ["pseudo_log_likelihood", "pseudo_perplexity"] {
      #expect(found[key] as? Double == own[key] as? Double)
      #expect(found["against_" + key] as? Double == other[key] as? Double)
    }
    #expect(found["pseudo_perplexity"] as? Double != found["against_pseudo_perplexity"] as? Double)
  }

  @Test func randomWeightsAreTheSameInBoth() throws {
    let found = try evaluate("--no-load-weights", "--seed", "5", "--against", "float32")
    #expect(found["kl_divergence"] as? Double == 0)
  }

  // MARK: Messages

  @Test(arguments: [
    (
      ["predict", "--precision", "fp32", "x"], "--precision: 'fp32' is not float32, bfloat16 or int8",
      "--precision float32"
    ),
    (
      ["predict", "--precision", "BF16", "x"], "--precision: 'BF16' is not float32, bfloat16 or int8",
      "--precision bfloat16"
    ),
    (
      ["predict", "--precision", "half", "x"], "--precision: 'half' is not float32, bfloat16 or int8",
      "--precision bfloat16"
    ),
    (
      ["evaluate", "--against", "i8", "text.txt"], "--against: 'i8' is not float32, bfloat16 or int8", "--against int8"
    ),
    (["predict", "--dtype", "int8", "x"], "unknown option --dtype for 'mlm predict'", "--precision"),
    (["evaluate", "--torch_dtype=int8", "text.txt"], "unknown option --torch_dtype for 'mlm evaluate'", "--precision"),
    (["evaluate", "--quantize", "text.txt"], "unknown option --quantize for 'mlm evaluate'", "--precision"),
    (["evaluate", "--baseline", "float32", "text.txt"], "unknown option --baseline for 'mlm evaluate'", "--against"),
    (["presets", "--precision", "int8"], "--precision needs --verify", ""),
    (["presets", "--download", "--precision", "int8", "x"], "--precision needs --verify", ""),
    (["predict", "--verbose", "--quiet", "x"], "--quiet and --verbose are mutually exclusive: they are opposites", ""),
  ])
  func slips(_ arguments: [String], _ error: String, _ hint: String) throws {
    try tool.expectError(arguments, error, hint: hint.isEmpty ? nil : "did you mean \(hint)?", status: 2)
  }

  @Test func verbose() throws {
    let result = try tool.succeed(["predict", "--preset", Tool.micro, "--precision", "int8", "--verbose", "a [MASK]"])
    let notes = result.messageLines
    #expect(notes.first?.hasPrefix("mlm: note: computing in int8: encoder int8 (") == true, "\(result.messages)")
    #expect(
      notes.first?.contains("), head bfloat16 (") == true && notes.first?.contains("), attention float32 (") == true)
    let scalar = try tool.run(
      ["evaluate", "text.txt", "--preset", Tool.micro, "--precision", "int8", "--verbose"],
      environment: ["MLM_MAX_CPU_ISA": "baseline"])
    #expect(
      scalar.messageLines == [
        "mlm: note: computing in int8: encoder int8 (scalar), last layer bfloat16 (scalar), "
          + "head bfloat16 (scalar), attention float32 (baseline)"
      ])
    let plain = try tool.succeed(["predict", "--preset", Tool.micro, "--verbose", "a [MASK]"])
    #expect(plain.messages.hasPrefix("mlm: note: computing in float32: encoder float32 (OpenBLAS "))
  }

  @Test func info() throws {
    let arguments = ["info", "--preset", Tool.micro, "--format", "json"]
    func computation(_ options: [String], _ environment: [String: String] = [:]) throws -> [String: Any] {
      let result = try tool.run(arguments + options, environment: environment)
      let object = try #require(JSONSerialization.jsonObject(with: result.stdout) as? [String: Any])
      return try #require(object["computation"] as? [String: Any])
    }
    let plain = try computation([])
    #expect(Set(plain.keys) == ["precision", "encoder", "last_layer", "head", "attention", "notes"])
    #expect(plain["precision"] as? String == "float32")
    let scalar = try computation([], ["MLM_MAX_CPU_ISA": "baseline", "MLM_PRECISION": "int8"])
    #expect(scalar["encoder"] as? [String: String] == ["format": "int8", "instructions": "scalar"])
    #expect(scalar["head"] as? [String: String] == ["format": "bfloat16", "instructions": "scalar"])
    #expect(scalar["attention"] as? [String: String] == ["format": "float32", "instructions": "baseline"])
    #expect(try computation(["--precision", "bfloat16"])["precision"] as? String == "bfloat16")
    let text = try tool.succeed(["info", "--preset", Tool.micro, "--precision", "int8"]).output
    #expect(text.contains("\n  computation   encoder int8 ("))
  }

  /// A directory of int8 weights is computed in int8 unless the user says otherwise.
  @Test func quantizedDirectory() throws {
    try tool.succeed(["presets", "--export", "q", Tool.micro, "--weights", "int8"])
    let info = try tool.succeed(["info", "--preset", "q"]).output
    #expect(info.contains("\n  computation   encoder int8 ("))
    func evaluate(_ options: String...) throws -> [String: Any] {
      try objects(tool.succeed(["evaluate", "text.txt", "--preset", "q", "--format", "json"] + options))[0]
    }
    let plain = try evaluate("--against", "float32")
    #expect(plain["precision"] as? String == "int8")
    #expect(try evaluate("--precision", "int8")["loss"] as? Double == plain["loss"] as? Double)
    #expect(try evaluate("--precision", "float32")["loss"] as? Double == plain["against_loss"] as? Double)
    let notes = try tool.succeed(["evaluate", "text.txt", "--preset", "q", "--against", "float32"]).messages
    #expect(notes.contains("'q' has int8 weights, computed here in float32"))
  }

  // MARK: presets --verify

  @Test(arguments: names) func verify(_ precision: String) throws {
    let name = "distil_bert_tiny_en_uncased"
    let result = try tool.succeed(["presets", "--verify", name, "--precision", precision])
    #expect(result.lines.last == "ok", "\(result.output)")
    #expect(result.lines.contains { $0.contains("(\(precision): tolerance ") } == (precision != "float32"))
  }
}
