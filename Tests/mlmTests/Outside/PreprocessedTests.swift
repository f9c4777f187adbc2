import Foundation
import Testing

/// Tests `--preprocessed`: samples of ids as JSON Lines.
@Suite struct PreprocessedTests {
  static let sample = #"{"token_ids":[2,5,4,7,3],"mask_positions":[2],"labels":[6]}"#

  /// Invalid samples, each with its error.
  static let faults: [(line: String, error: String)] = [
    (
      #"{"token_ids":[2,5,256,7,3],"mask_positions":[2],"labels":[6]}"#,
      "token_ids[2] is 256, outside the vocabulary of 256"
    ),
    (
      #"{"token_ids":[2,5,-1,7,3],"mask_positions":[2],"labels":[6]}"#,
      "token_ids[2] is -1, outside the vocabulary of 256"
    ),
    (
      #"{"token_ids":[2,5,4,7,3],"mask_positions":[2],"labels":[256]}"#,
      "labels[0] is 256, outside the vocabulary of 256"
    ),
    (
      #"{"token_ids":[2,5,4,7,3],"mask_positions":[5],"labels":[6]}"#,
      "mask_positions[0] is 5, outside the sample of 5 tokens"
    ),
    (
      #"{"token_ids":[2,5,4,7,3],"mask_positions":[-1],"labels":[6]}"#,
      "mask_positions[0] is -1, outside the sample of 5 tokens"
    ),
    (
      #"{"token_ids":[2,5,4,7,3],"mask_positions":[2,3],"labels":[6]}"#,
      "labels has 1 entries, but mask_positions has 2"
    ),
    (
      #"{"token_ids":[2,5,4,7,3],"padding_mask":[1,1],"mask_positions":[2],"labels":[6]}"#,
      "padding_mask has 2 entries, but token_ids has 5"
    ),
    (
      #"{"token_ids":[2,5,4,7,3],"mask_positions":[2],"labels":[6],"sample_weight":[1,1]}"#,
      "sample_weight has 2 entries, but mask_positions has 1"
    ),
    (
      #"{"token_ids":[2,5,4,7,0],"padding_mask":[1,1,1,1,0],"mask_positions":[4],"labels":[6]}"#,
      "mask_positions[0] is 4, which is padding, and its weight is not 0"
    ),
    (
      #"{"token_ids":[2,5,4,7,3],"padding_mask":[1,1,1,1,2],"mask_positions":[2],"labels":[6]}"#,
      "padding_mask[4] is 2, expected 0 or 1"
    ),
    (
      #"{"token_ids":[2,5,4,7,3],"mask_positions":[2],"labels":[6],"sample_weight":[-1]}"#,
      "sample_weight[0] is -1.0, expected a finite number ≥ 0"
    ),
    (
      #"{"token_ids":[2,5,4,7,3],"mask_positions":[2],"labels":[6],"sample_weight":[1e999]}"#,
      "sample_weight[0] is inf, expected a finite number ≥ 0"
    ),
    (#"{"token_ids":[2,5,4,7,3]}"#, "not a preprocessed sample: missing key 'mask_positions'"),
    (#"{"mask_positions":[2],"labels":[6]}"#, "not a preprocessed sample: missing key 'token_ids'"),
    (
      #"{"token_ids":"abc","mask_positions":[2],"labels":[6]}"#,
      "not a preprocessed sample: 'token_ids' is not an array of numbers"
    ),
    (#"{"token_ids":[],"mask_positions":[],"labels":[]}"#, "no tokens other than padding"),
    (#"[1,2]"#, "not a preprocessed sample: expected a JSON object"),
    (
      #"{"token_ids":[2,5,4,7,3],"mask_positions":[2],"labels":[6"#,
      "invalid JSON: expected ']' but the text ends, at byte 57"
    ),
    (#"hello text"#, "invalid JSON: expected a value but found 'h', at byte 0"),
    (
      #"{"token_ids":[2,5.5,4],"mask_positions":[1],"labels":[6]}"#,
      "invalid JSON: not a whole number in range, at byte 16"
    ),
    (
      #"{"token_ids":[2,99999999999999999999,4],"mask_positions":[1],"labels":[6]}"#,
      "invalid JSON: not a whole number in range, at byte 16"
    ),
    (
      #"{"token_ids":[2,5,4,7,3],"mask_positions":[2],"labels":[6],"labels":[6]}"#,
      "invalid JSON: duplicate key 'labels', at byte 68"
    ),
    (
      "{\"token_ids\":\((1...49).map { $0 }),\"mask_positions\":[2],\"labels\":[6]}",
      "49 tokens, but the model has 48 positions"
    ),
  ]

  @Test(arguments: faults.indices) func faultByFileAndLine(_ index: Int) throws {
    let (line, error) = Self.faults[index]
    let tool = try Tool()
    try tool.write(Self.sample + "\n", to: "good.jsonl")
    try tool.write("\(Self.sample)\n\n\(line)\n\(Self.sample)\n", to: "bad.jsonl")
    for command in [["evaluate"], ["fit", "--output", "out"]] {
      try tool.expectError(
        command + ["--preset", Tool.micro, "--preprocessed", "good.jsonl", "bad.jsonl"], "\(error) [bad.jsonl:3]")
    }
    // In predict, only that line fails, with the same error, although labels are not needed.
    let result = try tool.run(
      ["predict", "--preset", Tool.micro, "--preprocessed", "--format", "json", "--top-k", "1"],
      input: Data("\(Self.sample)\n\(line)\n\(Self.sample)\n".utf8))
    #expect(result.errors == ["\(error) [standard input:2]"] && result.status == 1)
    #expect(result.lines.count == 3 && result.lines[0] == result.lines[2] && result.lines[0].hasPrefix("[{\"score\""))
    #expect(result.lines[1].hasPrefix("{\"line\":2,\"error\":\""))
  }

  @Test func labelsAreForTraining() throws {
    let tool = try Tool()
    let line = #"{"token_ids":[2,5,4,7,3],"mask_positions":[2]}"#
    try tool.write(line + "\n", to: "samples.jsonl")
    for command in ["evaluate", "fit"] {
      try tool.expectError(
        [command, "--preset", Tool.micro, "--preprocessed", "samples.jsonl"], "no labels [samples.jsonl:1]",
        hint: "\"labels\"")
    }
    try tool.succeed(["predict", "--preset", Tool.micro, "--preprocessed", line])
  }

  @Test func files() throws {
    let tool = try Tool()
    try tool.write("", to: "empty.jsonl")
    try tool.write("\n \n", to: "blank.jsonl")
    for command in ["evaluate", "fit"] {
      let arguments = [command, "--preset", Tool.micro, "--preprocessed"]
      try tool.expectError(arguments + ["nope.jsonl"], "nope.jsonl: no such file or directory")
      try tool.expectError(arguments + ["empty.jsonl"], "the file is empty [empty.jsonl]")
      let blank = try tool.run(arguments + ["blank.jsonl"])
      #expect(blank.status == 1 && blank.errors.count == 1)
    }
    let result = try tool.run("predict", "--preset", Tool.micro, "--preprocessed", "--format", "fill", "x")
    #expect(result.status == 2 && result.errors.count == 1)
  }

  @Test func sameAsText() throws {
    // The text with [MASK] and the sample of ids give the same prediction.
    let tool = try Tool()
    let ids = try tool.succeed(
      [
        "tokenize", "--preset", Tool.micro, "--format", "ids", "--add-special-tokens", "--special-tokens-in-text",
        "a [MASK] c",
      ])
    let array = ids.lines[0].split(separator: " ").joined(separator: ",")
    let mask = try #require(ids.lines[0].split(separator: " ").firstIndex(of: "4"))
    let arguments = ["predict", "--preset", Tool.micro, "--format", "tsv"]
    let text = try tool.succeed(arguments + ["a [MASK] c"])
    let sample = "{\"token_ids\":[\(array)],\"mask_positions\":[\(mask)]}"
    #expect(try tool.succeed(arguments + ["--preprocessed", sample]).output == text.output)
    // Padding at the end, and a slot without weight, do not change the result.
    let ones = ids.lines[0].split(separator: " ").map { _ in "1" }.joined(separator: ",")
    let padded = """
      {"token_ids":[\(array),0,0],"padding_mask":[\(ones),0,0],"mask_positions":[\(mask),0],"sample_weight":[1,0]}
      """
    #expect(try tool.succeed(arguments + ["--preprocessed", padded]).output == text.output)
  }

  @Test func goodSamplesInEveryCommand() throws {
    let tool = try Tool()
    let lines = (0..<10).map {
      "{\"token_ids\":[2,\(5 + $0),4,\(20 + $0),3],\"mask_positions\":[2],\"labels\":[\(9 + $0)]}"
    }
    try tool.write(lines.joined(separator: "\r\n"), to: "samples.jsonl")
    let options = ["--preset", Tool.micro, "--preprocessed"]
    let figures = try tool.succeed(["evaluate", "samples.jsonl", "--format", "json"] + options).figures
    #expect(figures["samples"] == 10 && figures["masked_tokens"] == 10 && figures["tokens"] == 50)
    let piped = try tool.succeed(["evaluate", "-", "--format", "json"] + options, input: lines.joined(separator: "\n"))
    #expect(piped.figures == figures)
    try tool.succeed(
      ["fit", "samples.jsonl", "--validation", "samples.jsonl", "--epochs", "20", "--learning-rate", "1e-3"] + options)
    let losses = History(try tool.read("mlm-model/history.csv")).numbers("val_loss")
    #expect(losses.count == 20 && losses[19] < losses[0] && losses[0] < (figures["loss"] ?? 0))
    let predicted = try tool.succeed([
      "predict", "--preprocessed", "--format", "tsv", "--top-k", "1", "--input", "samples.jsonl",
    ])
    #expect(predicted.lines.count == 10 && predicted.lines[9].hasPrefix("9\t0\t1\t"))
  }
}
