import Foundation
import TestSupport
import Testing

/// Tests `mlm presets`, models by name and bare encoders, from outside and without a network.
@Suite struct PresetsTests {
  static let commit = String(repeating: "c", count: 40)

  /// A tool whose directory has a cache `hub` with the micro model, in the layout of hub clients, and a registry
  /// `own.json` that calls it `mine`.
  private func toolWithCache(withoutWeights: Bool = false) throws -> (Tool, environment: [String: String]) {
    let tool = try Tool()
    let folder = "hub/models--o--micro"
    var files: [String] = []
    for name in try FileManager.default.contentsOfDirectory(atPath: Tool.micro)
    where !withoutWeights || name != "model.safetensors" {
      let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: Tool.micro).appendingPathComponent(name)))
      let blob = name == "model.safetensors" ? Hash.sha256(bytes) : Hash.gitBlob(bytes)
      try tool.write(bytes, to: "\(folder)/blobs/\(blob)")
      try FileManager.default.createDirectory(
        atPath: tool.path("\(folder)/snapshots/\(Self.commit)"), withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: tool.path("\(folder)/snapshots/\(Self.commit)/\(name)"), withDestinationPath: "../../blobs/\(blob)")
      files.append(#"{"name": "\#(name)", "size": \#(bytes.count), "sha256": "\#(Hash.sha256(bytes))"}"#)
    }
    try tool.write(Self.commit, to: "\(folder)/refs/main")
    try tool.write(
      """
      {"presets": [{"name": "mine", "repository": "o/micro", "revision": "\(Self.commit)", "files": [
        \(files.sorted().joined(separator: ",\n  "))
      ]}]}
      """, to: "own.json")
    return (tool, ["HF_HUB_CACHE": tool.path("hub"), "MLM_PRESETS": "own.json"])
  }

  private var snapshot: String { "hub/models--o--micro/snapshots/\(Self.commit)" }

  @Test func aPresetOfOnesOwn() throws {
    let (tool, environment) = try toolWithCache()
    let expected = try tool.succeed(["predict", "--preset", Tool.micro, "--format", "json", "a [MASK]"]).output
    for name in ["mine", "hf://o/micro", "hf://o/micro@main", "hf://o/micro@\(Self.commit)", snapshot] {
      for offline in [[], ["--offline"]] {
        let result = try tool.run(
          ["predict", "--preset", name, "--format", "json", "a [MASK]"] + offline, environment: environment)
        #expect(result.status == 0 && result.output == expected && result.messages.isEmpty, "\(result.messages)")
      }
    }
    let listed = try tool.run(["presets"], environment: environment)
    #expect(listed.lines.last?.hasPrefix("mine") == true && listed.lines.last?.hasSuffix("yes") == true)
    let json = try tool.run(["presets", "--format", "json"], environment: environment)
    let list = try #require(JSONSerialization.jsonObject(with: json.stdout) as? [[String: Any]])
    #expect(list.map { $0["cached"] as? Bool } == [false, false, false, true, true])
    #expect(list.last?["repository"] as? String == "o/micro" && list.last?["parameters"] is NSNull)
  }

  @Test func downloadOfWhatIsThere() throws {
    let (tool, environment) = try toolWithCache()
    let before = tool.contents
    for name in ["mine", "hf://o/micro@\(Self.commit)", "hf://o/micro"] {
      let result = try tool.run(["presets", "--download", name], environment: environment)
      #expect(result.status == 0 && result.output == tool.path(snapshot) + "\n" && result.messages.isEmpty)
    }
    // Failures are reported, and the other names are still processed.
    let several = try tool.run(
      ["presets", "--download", "nonsense", "mine", "distil_bert_tiny_en_uncased"], environment: environment)
    #expect(several.status == 1 && several.lines == [tool.path(snapshot)] && several.errors.count == 2)
    #expect(several.errors.first?.hasSuffix("not in presets.json or own.json") == true)
    let shell = try tool.shell(
      "mlm tokenize --preset \"$(mlm presets --download mine)\" --format ids a", environment: environment)
    #expect(shell.status == 0 && shell.messages.isEmpty && shell.lines.count == 1)
    #expect(tool.contents == before)
  }

  @Test func verify() throws {
    let (tool, environment) = try toolWithCache()
    let good = try tool.run(["presets", "--verify", "mine"], environment: environment)
    #expect(good.status == 0 && good.messages.isEmpty && good.lines.last == "ok", "\(good.messages)")
    #expect(good.lines.first == "mine in \(tool.path(snapshot))")
    #expect(good.lines.contains { $0.hasPrefix("  ok       model.safetensors: 153520 bytes, SHA-256 ") })
    #expect(good.lines.contains("  -        parameters: 35,424 in the backbone, 36,800 in all"))
    #expect(good.lines.contains("  -        predictions: no published figures are known for this model"))

    let weights = URL(fileURLWithPath: tool.path(snapshot + "/model.safetensors")).resolvingSymlinksInPath()
    var bytes = try Data(contentsOf: weights)
    bytes[bytes.count - 1] ^= 1
    try bytes.write(to: weights)
    for name in ["mine", "hf://o/micro", snapshot] {
      let bad = try tool.run(["presets", "--verify", name], environment: environment)
      #expect(bad.status == 1 && bad.lines.last == "differs")
      #expect(bad.errors == ["'\(name)' differs from its registry entry: model.safetensors"])
      #expect(bad.lines.contains { $0.hasPrefix("  differs  model.safetensors: SHA-256 is ") })
    }
    let several = try tool.run(
      ["presets", "--verify", "distil_bert_base_en", "mine", "distil_bert_tiny_en_uncased", Tool.micro],
      environment: environment)
    #expect(several.status == 1 && several.errors.count == 2)
    #expect(several.errors.first?.hasPrefix("'distil_bert_base_en' is not in the cache") == true)
    // A copy is recognized by the hash of its weights.
    #expect(several.lines.last == "ok")
    let unknown = try tool.succeed(["presets", "--verify", Tool.micro])
    #expect(unknown.lines.last == "can be loaded; there is nothing to compare it with")
  }

  /// An exported built-in or cached model gives the same predictions.
  @Test func export() throws {
    let (tool, environment) = try toolWithCache()
    let tiny = "distil_bert_tiny_en_uncased"
    let exported = try tool.run(["presets", "--export", "./\(tiny)", tiny], environment: environment)
    #expect(
      exported.status == 0 && exported.output == "./\(tiny)\n" && exported.messages.isEmpty, "\(exported.messages)")
    #expect(
      tool.names(in: tiny) == [
        "config.json", "model.safetensors", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json",
        "vocab.txt",
      ])
    let half = try tool.run(["presets", "--export", "a/half", tiny, "--float16"], environment: environment)
    #expect(half.status == 0 && half.output == "a/half\n")
    let (bytes, halfBytes) = try (
      tool.read("\(tiny)/model.safetensors").count, tool.read("a/half/model.safetensors").count
    )
    #expect(halfBytes < 12_000_000 && bytes > halfBytes * 19 / 10)
    #expect(try String(decoding: tool.read("a/half/config.json"), as: UTF8.self).contains(#""torch_dtype": "float16""#))
    // The embedded weights have 16 bits, so both formats are exact.
    let expected = try tool.succeed(["predict", "--preset", tiny, "--format", "tsv", "the [MASK] fox"]).output
    for preset in ["./\(tiny)", "a/half"] {
      #expect(
        try tool.succeed(["predict", "--preset", preset, "--format", "tsv", "the [MASK] fox"]).output == expected)
    }

    let again = try tool.run(["presets", "--export", "a/half", "mine"], environment: environment)
    again.expectError("a/half already exists", hint: "--overwrite")
    let replaced = try tool.run(
      ["presets", "--export", "a/half", "mine", "--overwrite"], environment: environment)
    #expect(replaced.status == 0)
    let micro = Data(try Data(contentsOf: URL(fileURLWithPath: Tool.micro + "/model.safetensors")))
    #expect(try tool.read("a/half/model.safetensors") == micro)
  }

  /// A directory in int8 is computed in int8, widened or copied, but not trained.
  @Test func exportInt8() throws {
    let tool = try Tool()
    try tool.copyMicro()
    let first = try tool.run("presets", "--export", "small", "--weights", "int8", "model")
    #expect(first.status == 0 && first.output == "small\n" && first.messages.isEmpty, "\(first.messages)")
    let bytes = try tool.read("small/model.safetensors")
    #expect(try bytes.count < tool.read("model/model.safetensors").count / 2)
    try tool.expectError(["presets", "--export", "small", "--weights", "int8", "model"], "small already exists")
    try tool.succeed(["presets", "--export", "small", "--weights", "int8", "model", "--overwrite"])
    #expect(try tool.read("small/model.safetensors") == bytes)
    try tool.succeed(["presets", "--export", "again", "--weights", "int8", "small"])
    #expect(try tool.read("again/model.safetensors") == bytes)
    for type in ["float32", "float16", "bfloat16"] {
      let wide = try tool.run("presets", "--export", type, "--weights", type, "small")
      #expect(wide.status == 0 && wide.messageLines.count == 1, "\(wide.messages)")
      #expect(wide.messages.contains("'small' has int8 weights"))
      try tool.succeed(["predict", "--preset", type, "a [MASK]"])
    }
    try tool.succeed(["predict", "--preset", "small", "a [MASK]"])
    #expect(
      try tool.succeed(["presets", "--verify", "small"]).lines.last
        == "can be loaded; there is nothing to compare it with")
    try tool.succeed(["info", "--preset", "small"])
    try tool.write("some text to read\n", to: "text.txt")
    for options in [[], ["--freeze-backbone"], ["--resume"]] {
      let fit = try tool.run(["fit", "text.txt", "--preset", "small", "--output", "out"] + options)
      #expect(fit.status == 1)
      if options != ["--resume"] {
        fit.expectError(
          "int8 weights cannot be trained: a step changes most of them by less than the distance of two integers",
          hint: "mlm presets --export DIR --weights float32 NAME")
      }
    }
    try tool.succeed([
      "fit", "text.txt", "--preset", "float32", "--output", "out", "--max-steps", "1", "--batch-size", "1",
      "--mask-selection-rate", "1",
    ])
  }

  /// Weights that are not needed need not exist.
  @Test func noLoadWeights() throws {
    let (tool, environment) = try toolWithCache(withoutWeights: true)
    let random = try tool.run(
      ["predict", "--preset", "mine", "--no-load-weights", "--format", "tsv", "a [MASK]"], environment: environment)
    #expect(random.status == 0 && random.messages.isEmpty && random.lines.count == 5)
    let absent = try tool.run(["predict", "--preset", "mine", "a [MASK]"], environment: environment)
    #expect(absent.status == 1 && absent.errors.first?.contains("is not in the hub cache") == true)
    #expect(absent.errors.first?.contains("model.safetensors") == true && absent.errors.count == 1)
  }

  @Test func badRegistries() throws {
    let tool = try Tool()
    for (text, error) in [
      ("{\n  \"presets\": [}", "invalid JSON: expected a value but found '}'"), ("[]", "malformed presets file: "),
      (
        #"{"presets": [{"name": "a"}]}"#,
        "malformed presets file: the preset 'a' has neither 'repository' nor 'directory' [own.json]"
      ),
    ] {
      try tool.write(text, to: "own.json")
      for arguments in [["presets"], ["predict", "--preset", Tool.micro, "a [MASK]"], ["tokenize", "a"]] {
        let result = try tool.run(arguments, environment: ["MLM_PRESETS": "own.json"])
        #expect(result.status == 1 && result.output.isEmpty && result.errors.count == 1)
        #expect(result.errors.first?.hasPrefix(error) == true, "\(result.messages)")
        #expect(result.errors.first?.contains("[own.json") == true, "\(result.messages)")
      }
    }
    let missing = try tool.run(["presets"], environment: ["MLM_PRESETS": "none.json"])
    missing.expectError(
      "cannot read the presets file: none.json: no such file or directory", hint: "MLM_PRESETS")
    // An empty variable counts as unset.
    #expect(try tool.run(["presets"], environment: ["MLM_PRESETS": ""]).lines.count == 5)
  }

  /// A directory without a model does not hide a name; the error names a missing directory of the registry.
  @Test func directories() throws {
    let tool = try Tool()
    try tool.write(
      #"{"presets": [{"name": "a", "directory": "\#(Tool.micro)"}, {"name": "b", "directory": "none"}]}"#,
      to: "own.json")
    try tool.write("", to: "a/notes.txt")
    let environment = ["MLM_PRESETS": "own.json"]
    #expect(try tool.run(["predict", "--preset", "a", "a [MASK]"], environment: environment).status == 0)
    for arguments in [["predict", "--preset", "b", "a [MASK]"], ["presets", "--verify", "b"]] {
      try tool.run(arguments, environment: environment).expectError(
        "the preset 'b' is the directory ./none, which does not exist", hint: "that file's own folder")
    }
    let json = try tool.run(["presets", "--format", "json"], environment: environment)
    let list = try #require(JSONSerialization.jsonObject(with: json.stdout) as? [[String: Any]])
    #expect(list.last?["directory"] as? String == "./none" && list.last?["size"] is NSNull)
  }

  /// An unreadable FILE is reported before a model is downloaded.
  @Test func filesComeFirst() throws {
    let tool = try Tool()
    try tool.write("a b\n", to: "text.txt")
    for arguments in [
      ["fit", "none.txt"], ["evaluate", "none.txt"], ["fit", "text.txt", "--validation", "none.txt"],
    ] {
      try tool.expectError(
        arguments + ["--preset", "distil_bert_base_en", "--offline"], "none.txt: no such file or directory")
    }
  }

  @Test func aReplacedPresetIsNoted() throws {
    let tool = try Tool()
    try tool.write(
      #"{"presets": [{"name": "distil_bert_base_en", "directory": "\#(Tool.micro)"}]}"#, to: "sub/own.json")
    let result = try tool.run(
      ["predict", "--preset", "distil_bert_base_en", "a [MASK]"], environment: ["MLM_PRESETS": "sub/own.json"])
    #expect(result.status == 0)
    #expect(result.messages == "mlm: note: the preset 'distil_bert_base_en' is overridden by sub/own.json\n")
    let list = try tool.run(["presets", "--quiet"], environment: ["MLM_PRESETS": "sub/own.json"])
    #expect(list.lines[2].hasSuffix("directory") && list.messages.isEmpty)
  }

  // MARK: A model without a head

  /// Only the micro model's encoder, as transformers saves a DistilBertModel.
  static func encoder(_ tool: Tool) throws {
    try tool.copyMicro("encoder")
    try tool.replace("DistilBertForMaskedLM", by: "DistilBertModel", in: "encoder/config.json")
    let file = try tool.read("encoder/model.safetensors")
    let length = file.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
    // The head's tensors have unknown names.
    let header = String(decoding: file.dropFirst(8).prefix(length), as: UTF8.self).replacingOccurrences(
      of: "\"vocab_", with: "\"other_")
    try tool.write(file.prefix(8) + Data(header.utf8) + file.dropFirst(8 + length), to: "encoder/model.safetensors")
  }

  @Test func bareEncoder() throws {
    let tool = try Tool()
    try Self.encoder(tool)
    let refusal = "'encoder' has no trained masked-language-model head, so it cannot fill masks"
    try tool.expectError(
      ["predict", "--preset", "encoder", "a [MASK]"], refusal, hint: "mlm fit FILE --preset encoder")
    try tool.expectError(["predict", "--preset", "encoder"], refusal, input: "a [MASK]\n")

    let warning =
      "mlm: warning: 'encoder' (a DistilBertModel) has no masked-language-model head: the missing parts are randomly "
      + "initialized, so no mask can be filled before fit"
    func warnings(_ result: Tool.Result) -> [String] { result.messageLines.filter { $0.hasPrefix("mlm: warning: ") } }
    let arguments = ["predict", "--preset", "encoder", "--format", "tsv", "a [MASK]"]
    let allowed = try tool.run(arguments + ["--allow-untrained-head"])
    #expect(allowed.status == 0 && allowed.lines.count == 5 && warnings(allowed) == [warning], "\(allowed.messages)")
    let seeded = try tool.run(arguments + ["--allow-untrained-head", "--seed", "1"])
    #expect(seeded.status == 0 && seeded.output != allowed.output)
    let random = try tool.run(arguments + ["--no-load-weights"])
    #expect(random.status == 0 && random.messages.isEmpty)

    try tool.write("a b c d e\na b c\n", to: "text.txt")
    let evaluated = try tool.run(["evaluate", "--preset", "encoder", "text.txt"])
    #expect(evaluated.status == 0 && warnings(evaluated) == [warning])
    let fitted = try tool.run(["fit", "--preset", "encoder", "text.txt", "--max-steps", "1"])
    #expect(fitted.status == 0 && warnings(fitted) == [warning])
    // A trained model has a head.
    try tool.succeed(["predict", "--preset", "mlm-model", "--format", "tsv", "a [MASK]"])
  }
}
