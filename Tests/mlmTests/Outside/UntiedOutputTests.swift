import Foundation
import Testing

/// Tests a model with a separate output matrix, made by `Scripts/generate-untied-model`, from outside.
@Suite struct UntiedOutputTests {
  private static let model = Tool.repository.appendingPathComponent("Tests/ModelTests/Golden/model/untied").path

  @Test func infoCountsIt() throws {
    let info = try Tool().succeed(["info", "--preset", Self.model])
    #expect(info.output.contains("head          trained, with a separate output matrix\n"))
    // 5,209 and the 41 × 16 of the matrix.
    #expect(info.output.contains("5,865 parameters: ") && !info.output.contains("shares"), "\(info.output)")
    let json = try Tool().succeed(["info", "--preset", Self.model, "--format", "json"]).output
    #expect(json.contains(#""shared_by_head": 0"#) && json.contains(#""total": 5865"#), "\(json)")
    let verified = try Tool().succeed(["presets", "--verify", Self.model]).output
    #expect(verified.contains("parameters: 4,864 in the backbone, 5,865 in all"), "\(verified)")
  }

  /// predict, evaluate, fit, a checkpoint and an export give the same results.
  @Test func everyCommandUsesIt() throws {
    let tool = try Tool()
    let line = "the quick brown fox jumped over the lazy dog ."
    try tool.write([String](repeating: line, count: 8).joined(separator: "\n") + "\n", to: "text.txt")
    let predict = ["predict", "--format", "tsv", "the [MASK] fox .", "--preset"]
    let before = try tool.succeed(predict + [Self.model]).output
    let loss = try tool.succeed(["evaluate", "text.txt", "--preset", Self.model]).output
    try tool.succeed(["presets", "--export", "export", Self.model])
    #expect(try tool.succeed(predict + ["export"]).output == before)
    #expect(try tool.succeed(["evaluate", "text.txt", "--preset", "export"]).output == loss)
    let exported = try tensors(of: tool.read("export/model.safetensors"))
    #expect(exported["vocab_projector.weight"]?.count == 41 * 16 * 4)
    #expect(
      String(decoding: try tool.read("export/config.json"), as: UTF8.self).contains(#""tie_word_embeddings": false"#))

    let fit = [
      "fit", "text.txt", "--preset", Self.model, "--learning-rate", "0.05", "--batch-size", "4", "--checkpoint-every",
      "1", "--threads", "2", "--output",
    ]
    try tool.succeed(fit + ["whole", "--max-steps", "4", "--epochs", "2"])
    try tool.succeed(fit + ["out", "--max-steps", "2", "--epochs", "2"])
    try tool.succeed(fit + ["out", "--max-steps", "4", "--epochs", "2", "--resume"])
    #expect(try tool.read("out/model.safetensors") == tool.read("whole/model.safetensors"))
    let trained = try tensors(of: tool.read("out/model.safetensors"))
    #expect(trained["vocab_projector.weight"] != exported["vocab_projector.weight"])
    #expect(try tool.succeed(predict + ["out"]).output != before)
    try tool.succeed(fit + ["frozen", "--max-steps", "2", "--freeze", "head"])
    let frozen = try tensors(of: tool.read("frozen/model.safetensors"))
    #expect(frozen["vocab_projector.weight"] == exported["vocab_projector.weight"])
    let embedding = "distilbert.embeddings.word_embeddings.weight"
    #expect(frozen[embedding] != exported[embedding])
  }

  /// transformers initializes a missing matrix at random; `predict` refuses the model.
  @Test func theMatrixIsMissing() throws {
    let tool = try Tool()
    try tool.copyMicro()
    try tool.replace("\"tie_weights_\": true", by: "\"tie_word_embeddings\": false", in: "model/config.json")
    try tool.expectError(
      ["predict", "--preset", "model", "a [MASK]"],
      "'model' has no trained masked-language-model head, so it cannot fill masks")
    let result = try tool.run("predict", "--preset", "model", "--allow-untrained-head", "a [MASK]")
    #expect(result.status == 0 && result.messages.contains("tie_word_embeddings"), "\(result.messages)")
  }
}
