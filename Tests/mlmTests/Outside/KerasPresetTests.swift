import Foundation
import Testing

/// Tests KerasHub's preset directories from outside.
@Suite struct KerasPresetTests {
  private static let presets = Tool.repository.appendingPathComponent("Tests/ModelTests/Golden/keras")
  private static let maskedLM = presets.appendingPathComponent("masked_lm").path
  private static let text = "the quick [MASK] fox jumped over the café"

  private static func tool() throws -> Tool {
    let tool = try Tool()
    let lines = "the quick brown fox\na lazy dog jumped over the café\n"
    try tool.write(String(repeating: lines, count: 8), to: "text.txt")
    return tool
  }

  /// The tokenizer splits text as KerasHub's does, with an uncased model that keeps accents.
  @Test func tokenize() throws {
    let result = try Tool().succeed(["tokenize", "--preset", Self.maskedLM, "--format", "tokens", "CAFÉ Cafe"])
    #expect(result.output == "café cafe\n" && result.messages.isEmpty)
  }

  /// Architecture and vocabulary can be loaded without HDF5.
  @Test func withoutWeights() throws {
    let tool = try Self.tool()
    try tool.succeed([
      "fit", "text.txt", "--preset", Self.maskedLM, "--no-load-weights", "--sequence-length", "16", "--quiet",
    ])
    try tool.succeed(["predict", Self.text, "--preset", "mlm-model"])
  }

  #if KerasWeights
    @Test func predict() throws {
      let result = try Tool().succeed(["predict", Self.text, "--preset", Self.maskedLM, "--format", "fill"])
      #expect(result.messages.isEmpty)
      for name in ["older", "sharded"] {
        let encoder = Self.presets.appendingPathComponent(name).path
        let tool = try Self.tool()
        #expect(try tool.run("predict", Self.text, "--preset", encoder).status == 1)
        let fit = ["fit", "text.txt", "--preset", encoder, "--sequence-length", "16"]
        let result = try tool.run(fit)
        #expect(result.status == 0 && result.messages.contains("no masked-language-model head"))
        try tool.succeed(["predict", Self.text, "--preset", "mlm-model"])
      }
    }

    /// A model that fit writes without training gives the same results, and keeps KerasHub's head and tokenizer.
    @Test func fit() throws {
      let tool = try Self.tool()
      let fit = ["fit", "text.txt", "--preset", Self.maskedLM, "--sequence-length", "16"]
      let result = try tool.succeed(fit + ["--learning-rate", "1e-30", "--max-steps", "1"])
      #expect(result.messageLines.last == "mlm: note: wrote ./mlm-model")
      #expect(result.messageLines.contains { $0.contains("epsilon is 1e-05") && $0.contains("transformers") })
      let predict = ["predict", Self.text, "cafe [MASK] CAFÉ", "--format", "json", "--preset"]
      #expect(try tool.succeed(predict + ["mlm-model"]).output == tool.succeed(predict + [Self.maskedLM]).output)
      let config = String(decoding: try tool.read("mlm-model/config.json"), as: UTF8.self)
      #expect(config.contains(#""mlm_head_layer_norm_eps": 1e-05"#))
      let tokenizer = String(decoding: try tool.read("mlm-model/tokenizer_config.json"), as: UTF8.self)
      #expect(tokenizer.contains(#""strip_accents": false"#))
    }

    /// Standard error has one line, and no messages of libhdf5.
    @Test func damaged() throws {
      let tool = try Tool()
      for file in ["config.json", "tokenizer.json", "assets/tokenizer/vocabulary.txt"] {
        try tool.write(Data(contentsOf: URL(fileURLWithPath: Self.maskedLM + "/" + file)), to: "model/" + file)
      }
      let weights = try Data(contentsOf: URL(fileURLWithPath: Self.maskedLM + "/model.weights.h5"))
      try tool.write(weights.prefix(50_000), to: "model/model.weights.h5")
      try tool.expectError(
        ["predict", Self.text, "--preset", "model"],
        "model/model.weights.h5: truncated or damaged: libhdf5 cannot open the file", hint: "download the file again")
    }
  #else
    @Test func notInThisBuild() throws {
      try Tool().expectError(
        ["predict", Self.text, "--preset", Self.maskedLM],
        "\(Self.maskedLM)/model.weights.h5: this build cannot read Keras weights (HDF5)",
        hint: "swift build -c release --traits KerasWeights (needs Debian's libhdf5-dev)")
    }
  #endif
}
