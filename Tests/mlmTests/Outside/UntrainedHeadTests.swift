import Foundation
import Testing

/// Tests from outside that an untrained head is never written: no file of `fit`, `presets --export` or a checkpoint
/// makes `predict` answer with random words.
@Suite struct UntrainedHeadTests {
  private static let refusal = "has no trained masked-language-model head, so it cannot fill masks"
  private static let note = "mlm: note: the masked-language-model head was never trained, and is left out of the files"

  /// A text, and the encoder of the micro model.
  private func tool() throws -> Tool {
    let tool = try FitTests.tool()
    try PresetsTests.encoder(tool)
    return tool
  }

  /// `predict` refuses the model, and its file has no tensor of a head.
  private func expectHeadless(
    _ tool: Tool, _ directory: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let names = try tensors(of: tool.read("\(directory)/model.safetensors")).keys
    #expect(names.allSatisfy { $0.hasPrefix("distilbert.") }, sourceLocation: sourceLocation)
    let result = try tool.run("predict", "--preset", directory, "a [MASK]")
    #expect(result.errors == ["'\(directory)' \(Self.refusal)"] && result.status == 1, sourceLocation: sourceLocation)
    let info = try tool.run("info", "--preset", directory, "--format", "json")
    #expect(info.output.contains(#""head": "missing""#), sourceLocation: sourceLocation)
  }

  /// Each command succeeds, notes that it writes no head, and writes none.
  @Test(arguments: [
    ["--preset", Tool.micro, "--no-load-weights", "--max-steps", "2", "--freeze", "head"],
    ["--preset", "encoder", "--max-steps", "2", "--freeze", "head"],
    ["--preset", "encoder", "--epochs", "2", "--freeze", "head", "--validation", "text.txt", "--early-stopping", "1"],
    [
      "--learn-vocabulary", "220", "--layers", "1", "--hidden-dim", "16", "--heads", "2", "--max-steps", "1",
      "--freeze",
      "head",
    ],
  ])
  func fitThatDoesNotTrainTheHead(_ options: [String]) throws {
    let tool = try tool()
    let result = try tool.run(["fit", "text.txt", "--output", "out"] + options)
    #expect(result.status == 0 && result.messageLines.contains(Self.note), "\(result.messages)")
    try expectHeadless(tool, "out")
    // From there, the head is trained as usual.
    let next = try tool.run("fit", "text.txt", "--preset", "out", "--output", "next", "--max-steps", "1")
    #expect(next.status == 0 && !next.messageLines.contains(Self.note))
    try tool.succeed(["predict", "--preset", "next", "a [MASK]"])
  }

  @Test func exported() throws {
    let tool = try tool()
    for options in [[], ["--float16"]] {
      let result = try tool.run(["presets", "--export", "out", "encoder", "--overwrite"] + options)
      #expect(result.status == 0 && result.messageLines.contains(Self.note), "\(result.messages)")
      try expectHeadless(tool, "out")
    }
    // A trained head is written.
    try tool.succeed(["presets", "--export", "whole", Tool.micro])
    #expect(try tensors(of: tool.read("whole/model.safetensors")).count == 57)
  }

  /// The checkpoints of an interrupted training have no head, and the resumed training uses the same initial one.
  @Test func checkpointsAndResume() throws {
    let tool = try tool()
    let fit = [
      "fit", "text.txt", "--preset", "encoder", "--freeze", "head", "--checkpoint-every", "1", "--batch-size", "8",
      "--threads", "2",
    ]
    _ = try tool.run(fit + ["--output", "whole", "--max-steps", "4"])
    _ = try tool.run(fit + ["--output", "out", "--max-steps", "2"])
    try expectHeadless(tool, "out/checkpoints/step-2")
    let resumed = try tool.run(fit + ["--output", "out", "--max-steps", "4", "--resume"])
    #expect(resumed.status == 0 && resumed.messageLines.contains(Self.note), "\(resumed.messages)")
    #expect(try tool.read("out/model.safetensors") == tool.read("whole/model.safetensors"))
    try expectHeadless(tool, "out")
  }

  /// Successful steps count, even if a later one failed.
  @Test func aFitThatFailsLate() throws {
    let tool = try tool()
    let result = try tool.run(
      "fit", "text.txt", "--preset", "encoder", "--output", "out", "--checkpoint-every", "1", "--batch-size", "8",
      "--epochs", "9", "--learning-rate", "90", "--warmup-steps", "20", "--schedule", "linear")
    #expect(result.status == 1 && result.errors.count == 1, "\(result.messages)")
    let steps = tool.names(in: "out/checkpoints").filter { $0.hasPrefix("step-") }
    let newest = try #require(steps.last)
    #expect(try tool.run("predict", "--preset", "out/checkpoints/\(newest)", "a [MASK]").status == 0)
  }
}
