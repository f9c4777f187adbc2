import Foundation
import Testing

/// Tests training.json and `--config` from outside.
@Suite struct ConfigurationTests {
  let tool: Tool
  let text: String

  init() throws {
    tool = try Tool()
    text = try tool.write((0..<40).map { "line \($0) of a text about nothing\n" }.joined(), to: "text.txt")
  }

  private func model(_ directory: String) throws -> Data { try tool.read(directory + "/model.safetensors") }

  private func options(_ directory: String) throws -> [String: Any] {
    let json = try JSONSerialization.jsonObject(with: try tool.read(directory + "/training.json")) as? [String: Any]
    return try #require(json?["options"] as? [String: Any])
  }

  /// Options of every kind.
  private let run = [
    "fit", "text.txt", "--preset", Tool.micro, "--epochs", "2", "--batch-size", "3", "--learning-rate", "1e-3",
    "--optimizer", "adamw", "--schedule", "linear", "--warmup-ratio", "0.25", "--clip-norm", "0.5", "--freeze",
    "embeddings,layers:0", "--validation-split", "0.2", "--early-stopping", "1", "--mask-selection-rate", "0.3",
    "--samples", "packed", "--sequence-length", "24", "--dropout", "0.1", "--seed", "7", "--quiet",
  ]

  @Test func theFileRepeatsTheRunByteForByte() throws {
    try tool.succeed(run + ["--output", "first"])
    try tool.succeed(["fit", "--config", "first/training.json", "--output", "second", "--quiet"])
    #expect(try model("first") == model("second"))
    #expect(try tool.read("first/training.json") == tool.read("second/training.json"))
    // The environment does not override it.
    let environment = ["MLM_PRESET": "no/such", "OMP_NUM_THREADS": "1"]
    let third = try tool.run(
      ["fit", "--config", "second/training.json", "--output", "third", "--quiet"], environment: environment)
    #expect(third.status == 0 && third.messages.isEmpty)
    #expect(try model("third") == model("first"))
  }

  @Test func aLearnedVocabularyToo() throws {
    try tool.succeed([
      "fit", "text.txt", "--learn-vocabulary", "220", "--layers", "1", "--hidden-dim", "16", "--heads", "2", "--cased",
      "--max-steps", "2", "--output", "first", "--quiet",
    ])
    try tool.succeed(["fit", "--config=first/training.json", "--output", "second", "--quiet"])
    #expect(try model("first") == model("second"))
    #expect(try tool.read("first/vocab.txt") == tool.read("second/vocab.txt"))
  }

  @Test func whatIsTypedGoesBefore() throws {
    try tool.succeed(run + ["--output", "first"])
    try tool.write("another text\nof two lines\n", to: "other.txt")
    let config = ["fit", "--config", "first/training.json", "--quiet"]
    try tool.succeed(
      config + [
        "other.txt", "--max-steps", "1", "--warmup-steps", "2", "--validation", "text.txt", "--freeze", "head",
        "--seed", "8", "--output", "second",
      ])
    let now = try options("second")
    #expect(now["max-steps"] as? Int == 1 && now["epochs"] is NSNull && now["seed"] as? Int == 8)
    #expect(now["warmup-steps"] as? Int == 2 && now["warmup-ratio"] == nil)
    #expect(now["validation"] as? String == "text.txt" && now["validation-split"] is NSNull)
    #expect(now["freeze"] as? [String] == ["head"])
    // The other options are those of the file.
    #expect(now["optimizer"] as? String == "adamw" && now["batch-size"] as? Int == 3)
    let file = try JSONSerialization.jsonObject(with: tool.read("second/training.json")) as? [String: Any]
    #expect(file?["files"] as? [String] == ["other.txt"])
  }

  /// A file written by hand overrides the environment.
  @Test func oneOfYourOwn() throws {
    try tool.write(
      """
      {
        "files": ["text.txt"],
        "options": {
          "preset": "\(Tool.micro)", "max-steps": 2, "no-shuffle": true, "strict": false, "clip-norm": null,
          "freeze": ["embeddings", "layers:0-1"], "output": "own", "quiet": true
        }
      }
      """, to: "run.json")
    let result = try tool.run(["fit", "--config", "run.json"], environment: ["MLM_PRESET": "no/such"])
    #expect(result.status == 0 && result.messages.isEmpty)
    #expect(try options("own")["no-shuffle"] as? Bool == true)
  }

  @Test func resumingJudgesTheFilesOptions() throws {
    try tool.succeed(run + ["--output", "whole"])
    try tool.write(
      tool.read("whole/training.json"), to: "run.json")
    let config = ["fit", "--config", "run.json", "--output", "parts", "--quiet"]
    let first = try tool.run(config + ["--max-steps", "3", "--schedule", "linear"])
    #expect(first.status == 0)
    // With a schedule, another length is refused, and the message names it.
    let resumed = try tool.run(config + ["--resume"])
    #expect(resumed.status == 1 && resumed.messages.contains("the length changed from --max-steps 3 to --epochs 2"))
  }

  @Test func otherTextIsNoticed() throws {
    try tool.succeed(run + ["--output", "first"])
    try tool.write("other words\nof another text\nand a third line\n", to: "text.txt")
    let again = ["fit", "--config", "first/training.json", "--overwrite", "--output", "first"]
    let result = try tool.run(again)
    #expect(result.status == 0)
    #expect(
      result.messages.contains(
        "mlm: warning: the training data has changed since first/training.json was written"))
    #expect(try tool.run(again).messages.contains("warning") == false)
  }

  @Test(
    arguments: [
      (
        "{\n\"options\": {\n  \"epochs\": 1,\n  \"batch_size\": 3}}", "unknown key 'batch_size' [run.json:4]",
        "'batch-size'"
      ),
      ("{\"options\": {\"lr\": 3}}", "unknown key 'lr' [run.json:1]", "'learning-rate'"),
      ("{\"options\": {\"zzzzzzz\": 3}}", "unknown key 'zzzzzzz' [run.json:1]", "mlm fit -h"),
      ("{\"options\": {\"config\": \"a\"}}", "unknown key 'config' [run.json:1]", nil),
      ("{\n\n\"epochs\": 3}", "unknown key 'epochs' [run.json:3]", "into the object 'options'"),
      ("{\"fils\": []}", "unknown key 'fils' [run.json:1]", "'files'"),
      (
        "{\"options\": {\"epochs\": \"three\"}}", "'epochs' is 'three', not a whole number of at least 1 [run.json:1]",
        nil
      ),
      ("{\"options\": {\"epochs\": 0}}", "'epochs' is '0', not a whole number of at least 1 [run.json:1]", nil),
      ("{\"options\": {\"no-shuffle\": \"yes\"}}", "'no-shuffle' is a string, not true or false [run.json:1]", nil),
      ("{\"options\": {\"optimizer\": \"sgd\"}}", "'optimizer' is 'sgd', not adam or adamw [run.json:1]", nil),
      ("{\"options\": {\"epochs\": [1]}}", "'epochs' is an array, not a whole number of at least 1 [run.json:1]", nil),
      ("{\"options\": {\"epochs\": 1,\n\"epochs\": 2}}", "duplicate key 'epochs' [run.json:2]", nil),
      ("{\"options\": []}", "'options' is not an object of keys and values [run.json:1]", "write "),
      ("{\"files\": \"a.txt\"}", "'files' is not a list of file names [run.json:1]", nil),
      ("[]", "the file is not an object of keys and values [run.json:1]", nil),
      (
        "{\"options\": {\"epochs\": 1}", "invalid JSON: expected '}' but the text ends, at byte 25 [run.json:1]",
        nil
      ),
    ] as [(String, String, String?)])
  func mistakes(_ file: String, _ error: String, _ hint: String?) throws {
    try tool.write(file, to: "run.json")
    try tool.expectError(["fit", "--config", "run.json", "text.txt"], error, hint: hint)
  }

  @Test func moreMistakes() throws {
    try tool.expectError(["fit", "--config", "no.json", "text.txt"], "no.json: no such file or directory")
    try tool.write("{\"options\": {\"epochs\": 1}}", to: "run.json")
    try tool.expectError(["fit", "--config", "run.json"], "no FILE was given", status: 2)
    try tool.write("{\"options\": {\"samples\": \"packed\"}}", to: "run.json")
    try tool.expectError(
      ["fit", "--config", "run.json", "--pairs", "text.txt"],
      "--samples packed and --pairs are mutually exclusive: each pair is one sample", status: 2)
    // A file's pairs are not read as running text because of a typed option, and a vocabulary is not dropped.
    try tool.write("{\"options\": {\"pairs\": true}}", to: "run.json")
    try tool.expectError(
      ["fit", "--config", "run.json", "--samples", "packed", "text.txt"],
      "--samples packed and --pairs are mutually exclusive: each pair is one sample", status: 2)
    try tool.write("{\"options\": {\"learn-vocabulary\": 100, \"lowercase\": true}}", to: "run.json")
    try tool.expectError(
      ["fit", "--config", "run.json", "--preprocessed", "text.txt"],
      "--preprocessed and --learn-vocabulary are mutually exclusive: a vocabulary is learned from text, not from ids",
      status: 2)
  }
}
