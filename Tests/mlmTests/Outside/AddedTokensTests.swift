import Foundation
import Testing

/// Tests tokens that users added to a vocabulary, in each command. Values: transformers 5.24 in float64, on the micro
/// model with `<drug>` instead of its last piece.
struct AddedTokensTests {
  private func tool() throws -> Tool {
    let tool = try Tool()
    try tool.copyMicro()
    try tool.replace("vewex\n", by: "<drug>\n", in: "model/vocab.txt")
    try tool.replace(
      #""do_lower_case": true"#,
      by: #""do_lower_case": true, "added_tokens_decoder": {"255": {"content": "<drug>", "special": true}}"#,
      in: "model/tokenizer_config.json")
    return tool
  }

  private func expect(_ result: Tool.Result, _ expected: [(piece: String, score: Double)]) {
    let rows = result.lines.map { $0.split(separator: "\t").map(String.init) }
    #expect(rows.map { $0.last } == expected.map(\.piece))
    for (row, expected) in zip(rows, expected) {
      #expect(abs((Double(row[3]) ?? 0) - expected.score) < 1e-5, "\(row)")
    }
  }

  @Test func aSpecialTokenOfTheUserIsFoundInPredict() throws {
    let tool = try tool()
    let predict = ["predict", "--quiet", "--preset", "model", "--format", "tsv", "--top-k", "3"]
    expect(
      try tool.succeed(predict + ["the <drug> was [MASK] ."]),
      [("gen", 0.46269478641484063), ("it", 0.1043085461506813), ("##j", 0.0495454235089195)])
    // BERT's special tokens are plain text by default.
    let text = "the<drug>[SEP]was [MASK]"
    expect(
      try tool.succeed(predict + ["--special-tokens-in-text", text]),
      [("gen", 0.17976655077506906), ("##j", 0.08076891786003457), ("it", 0.06223473589738923)])
    #expect(
      try tool.succeed(predict + [text]).output != tool.succeed(predict + ["--special-tokens-in-text", text]).output)
  }

  /// [CLS] the <drug> was it . [SEP]: 7 tokens, and three more for the brackets if [SEP] is text.
  @Test func tokensInFitAndEvaluate() throws {
    let tool = try tool()
    try tool.write(Data("the <drug> was it .\n".utf8), to: "a.txt")
    try tool.write(Data("the <drug>[SEP]was it .\n".utf8), to: "b.txt")
    func tokens(_ file: String, _ options: [String] = []) throws -> Double? {
      try tool.succeed(["evaluate", "--quiet", "--preset", "model", "--format", "json", file] + options).figures[
        "tokens"]
    }
    #expect(try tokens("a.txt") == 7)
    #expect(try tokens("b.txt", ["--special-tokens-in-text"]) == 8)
    let plain = try tokens("b.txt")
    #expect(plain ?? 0 > 8)
    func fit(_ name: String, _ options: [String]) throws -> Data {
      try tool.succeed(
        ["fit", "--quiet", "--preset", "model", "b.txt", "--max-steps", "1", "--output", name, "--threads", "1"]
          + options)
      return try tool.read("\(name)/model.safetensors")
    }
    let special = try fit("special", ["--special-tokens-in-text"])
    #expect(try special != fit("plain", []))
    // training.json repeats the run.
    try tool.succeed(["fit", "--quiet", "--config", "special/training.json", "--output", "again"])
    #expect(try tool.read("again/model.safetensors") == special)
    #expect(
      try tool.succeed(["tokenize", "--quiet", "--preset", "special", "--format", "ids", "the<drug>"]).lines == [
        "86 255"
      ])
  }
}
