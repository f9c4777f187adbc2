import Foundation
import Testing

/// Tests `mlm info` from outside.
@Suite struct InfoTests {
  let tool: Tool
  init() throws { tool = try Tool() }

  private func info(_ arguments: String...) throws -> [String: Any] {
    let result = try tool.succeed(["info", "--format", "json"] + arguments)
    return try #require(JSONSerialization.jsonObject(with: result.stdout) as? [String: Any])
  }

  private func hash(_ file: String) throws -> String {
    String(try tool.shell("sha256sum \(file)").output.prefix(64))
  }

  @Test func aDirectory() throws {
    try tool.copyMicro()
    let info = try self.info("--preset", "model")
    #expect(info["preset"] as? String == "model" && info["source"] as? String == "directory")
    #expect(info["directory"] as? String == "model" && info["head"] as? String == "trained")
    let architecture = try #require(info["architecture"] as? [String: Any])
    #expect(architecture["num_layers"] as? Int == 3 && architecture["hidden_dim"] as? Int == 32)
    #expect(architecture["max_sequence_length"] as? Int == 48 && architecture["dropout"] as? Double == 0)
    let vocabulary = try #require(info["vocabulary"] as? [String: Any])
    #expect(vocabulary["word_pieces"] as? Int == 256 && vocabulary["lowercase"] as? Bool == true)
    let special = try #require(vocabulary["special_tokens"] as? [String: Int])
    #expect(Set(special.keys) == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    let parameters = try #require(info["parameters"] as? [String: Any])
    // 256 · 32 + 48 · 32 + 64, 3 · 8544, and 32 · 32 + 32 + 64 + 256.
    #expect(parameters["backbone"] as? Int == 35_424 && parameters["total"] as? Int == 36_800)
    let files = try #require(info["files"] as? [[String: Any]])
    #expect(
      files.compactMap { $0["name"] as? String } == [
        "config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt",
      ])
    let (sum, size) = (try hash("model/model.safetensors"), try tool.read("model/model.safetensors").count)
    #expect(files[1]["sha256"] as? String == sum && files[1]["size"] as? Int == size)
    #expect(info["history"] is NSNull && info["training"] is NSNull)
  }

  @Test func asText() throws {
    try tool.copyMicro()
    let text = try tool.succeed(["info", "--preset", "model"]).output
    #expect(text.hasPrefix("model\n  location      a model directory\n  architecture  3 layers, 32 wide, 4 heads, "))
    #expect(text.contains("\n  36,800 parameters: "))
    #expect(text.contains("transformer_layer_2") && !text.contains("transformer_layer_3"))
    #expect(text.contains("256 word pieces, lowercase; [PAD] 0, "))
    let sum = try hash("model/vocab.txt")
    #expect(text.contains(sum))
    #expect(!text.contains("History"))
  }

  @Test func whatFitWroteAndItsCheckpoint() throws {
    try tool.write((0..<20).map { "line \($0) of the text\n" }.joined(), to: "text.txt")
    try tool.succeed([
      "fit", "text.txt", "--preset", Tool.micro, "--max-steps", "8", "--log-every", "1", "--batch-size", "2",
      "--output",
      "out", "--quiet",
    ])
    let info = try self.info("--preset", "out")
    let history = try #require(info["history"] as? [String: Any])
    let rows = History(try tool.read("out/history.csv")).rows.count
    #expect(history["rows"] as? Int == rows && rows >= 8)
    let last = try #require((history["last"] as? [[String: Any]]))
    #expect(last.count == 5 && last.last?["step"] as? Int == 8 && last.last?["val_loss"] is NSNull)
    #expect(((info["training"] as? [String: Any])?["options"] as? [String: Any])?["batch-size"] as? Int == 2)
    #expect(try tool.succeed(["info", "--preset", "out"]).output.contains("History (the last 5 of \(rows) rows):"))
    // Without --preset, the model is not the one that fit wrote here, because it is not ./mlm-model.
    #expect(try tool.run(["info"]).output.hasPrefix("distil_bert_tiny_en_uncased\n"))
    #expect(try tool.run(["info"], environment: ["MLM_PRESET": "out"]).output.hasPrefix("out\n"))

    let checkpoint = try self.info("--preset", "out/checkpoints/step-8")
    let before = (checkpoint["history"] as? [String: Any])?["rows"] as? Int ?? 0
    #expect(before >= 8 && before <= rows)
    let names = (checkpoint["files"] as? [[String: Any]])?.compactMap { $0["name"] as? String } ?? []
    #expect(names.contains("training_state.safetensors"))
  }

  @Test func theEmbeddedPreset() throws {
    let info = try self.info("--preset", "distil_bert_tiny_en_uncased")
    #expect(info["source"] as? String == "embedded" && info["directory"] is NSNull)
    #expect(
      (info["files"] as? [[String: Any]])?.compactMap { $0["name"] as? String } == ["model.safetensors", "vocab.txt"])
  }

  /// Without either, the other facts are still shown.
  @Test func withoutWeightsOrHead() throws {
    try tool.copyMicro()
    try tool.remove("model/model.safetensors")
    #expect(try self.info("--preset", "model")["head"] as? String == "no weights")
    try tool.write("no weights at all", to: "model/model.safetensors")
    let result = try tool.run(["info", "--preset", "model"])
    #expect(result.status == 0 && result.messages.contains("mlm: warning: the weights cannot be read: "))
    try tool.remove("model/vocab.txt")
    let json = try tool.run(["info", "--preset", "model", "--format", "json", "--quiet"])
    #expect(json.status == 0 && json.output.contains("\"vocabulary\": null"))
  }

  @Test func mistakes() throws {
    try tool.expectError(
      ["info", "model"], "unexpected argument 'model'", hint: "mlm info --preset model", status: 2)
    try tool.expectError(
      ["info", "--preset", "nothing/here"],
      "unknown preset 'nothing/here': not a directory, and not in presets.json")
    let result = try tool.run(
      ["info", "--preset", "distil_bert_base_en"], environment: ["HF_HUB_CACHE": tool.path("hub")])
    #expect(result.status == 1 && result.errors.count == 1 && result.output.isEmpty)
    #expect(result.messages.contains("is not in the hub cache"))
  }
}
