import Foundation
import Testing

/// Checkpoints and `--resume` from outside.
@Suite struct ResumeTests {
  private static let options = [
    "--batch-size", "4", "--learning-rate", "1e-3", "--epochs", "3", "--validation-split", "0.25", "--dropout", "0.1",
  ]

  private static func fit(_ output: String, _ more: [String] = []) -> [String] {
    FitTests.fit + options + ["--output", output] + more
  }

  /// Killed after some step without a chance to say anything: a training of that many steps leaves the same checkpoints.
  private static func killed(_ tool: Tool, _ output: String, after steps: Int, _ options: [String] = options) throws {
    try tool.succeed(
      FitTests.fit + options + ["--output", output, "--max-steps", "\(steps)", "--checkpoint-every", "1"])
    for name in FitTests.files where name != "checkpoints" { try tool.remove("\(output)/\(name)") }
    try tool.remove("\(output)/checkpoints/finished")
  }

  @Test(arguments: [1, 4, 5, 8, 10, 13]) func sameBytes(_ step: Int) throws {
    let tool = try FitTests.tool()
    try tool.succeed(Self.fit("whole"))
    try Self.killed(tool, "part", after: step)
    #expect(tool.names(in: "part") == ["checkpoints"])
    let result = try tool.succeed(Self.fit("part", ["--resume"]))
    #expect(result.messages.contains("going on from part/checkpoints/step-\(step)"))
    #expect(tool.names(in: "part") == FitTests.files)
    #expect(try FitTests.weights(tool, "part") == FitTests.weights(tool, "whole"))
    // But for the time that it took.
    let histories = try ["part", "whole"].map { History(try tool.read("\($0)/history.csv")) }
    for column in FitTests.columns where column != "seconds" {
      #expect(histories[0].rows.map { $0[column] } == histories[1].rows.map { $0[column] }, "\(column)")
    }
    #expect(tool.names() == ["part", "text.txt", "whole"])
  }

  @Test func finished() throws {
    let tool = try FitTests.tool()
    let options = ["--batch-size", "4", "--learning-rate", "1e-3"]
    try tool.succeed(FitTests.fit + options + ["--epochs", "3", "--output", "whole"])
    try tool.succeed(FitTests.fit + options)
    let before = tool.contents
    let again = try tool.succeed(FitTests.fit + options + ["--resume"])
    #expect(again.messages.contains("the training had ended after 6 steps: nothing is left to do"))
    #expect(tool.contents == before)
    // Longer than it was; and where it was written to does not matter.
    try FileManager.default.moveItem(atPath: tool.path("mlm-model"), toPath: tool.path("moved"))
    try tool.succeed(FitTests.fit + options + ["--resume", "--epochs", "3", "--threads", "2", "--output", "moved"])
    #expect(try FitTests.weights(tool, "moved") == FitTests.weights(tool, "whole"))
  }

  @Test func standardInput() throws {
    let tool = try FitTests.tool()
    let text = String(decoding: try tool.read("text.txt"), as: UTF8.self)
    let fit = ["fit", "-", "--preset", Tool.micro, "--batch-size", "4"]
    try tool.succeed(fit, input: text)
    try tool.expectError(
      fit + ["--resume", "--epochs", "2"],
      "cannot resume: the training data is not what it was: 24 samples then, 1 now",
      input: "the cat\n")
    try tool.succeed(fit + ["--resume", "--epochs", "2"], input: text)
  }

  // MARK: What is refused

  @Test func whatIsThere() throws {
    let tool = try FitTests.tool()
    try tool.expectError(
      Self.fit("out", ["--resume"]), "there is no checkpoint in out/checkpoints", hint: "leave --resume out")
    try Self.killed(tool, "out", after: 4)
    let newest = "out/checkpoints/step-4"
    try tool.expectError(
      Self.fit("out"), "out holds the checkpoints of a training that has not ended, the newest is \(newest)",
      hint: "--resume, or begin anew with --overwrite")
    try tool.expectError(
      ["predict", "--preset", "out", "a [MASK]"],
      "out holds no model yet, only checkpoints of a training that has not ended", hint: newest)
    try tool.succeed(["predict", "--preset", newest, "a [MASK]"])
    try FileManager.default.moveItem(atPath: tool.path("out"), toPath: tool.path("mlm-model"))
    try tool.expectError(
      ["predict", "a [MASK]"], "./mlm-model holds no model yet, only checkpoints of a training that has not ended")
    try FileManager.default.moveItem(atPath: tool.path("mlm-model"), toPath: tool.path("out"))
    try tool.succeed(Self.fit("out", ["--overwrite", "--epochs", "1"]))
    #expect(tool.names(in: "out/checkpoints") == ["finished", "step-5"])
    try tool.expectError(Self.fit("out"), "out exists already", hint: "--overwrite")
  }

  @Test(arguments: [
    (["--batch-size", "8"], "--batch-size was 4 and is 8 now"), (["--seed", "1"], "--seed was 0 and is 1 now"),
    (["--dropout", "0"], "--dropout was 0.1 and is 0.0 now"), (["--no-shuffle"], "--no-shuffle was off and is on now"),
    (["--freeze-backbone"], "--freeze was nothing and is backbone now"),
    (["--warmup-steps", "3"], "--warmup-steps was 0 and is 3 now"),
    (["--optimizer", "adamw"], "--optimizer was adam and is adamw now"),
    (["--mask-selection-rate", "0.3"], "--mask-selection-rate was 0.15 and is 0.3 now"),
    (["--sequence-length", "20"], "--sequence-length was the model's and is 20 now"),
    (["--validation-split", "0.5"], "--validation-split was 0.25 and is 0.5 now"),
    (["--gradient-accumulation", "2"], "--gradient-accumulation was 1 and is 2 now"),
    (["--preset", "other"], "--preset was \(Tool.micro) and is other now"),
  ])
  func optionsThatDiffer(_ options: [String], _ message: String) throws {
    let tool = try FitTests.tool()
    try Self.killed(tool, "out", after: 4)
    try tool.expectError(
      Self.fit("out", ["--resume"] + options), "cannot resume: \(message), and the training would be another")
  }

  @Test func textThatDiffers() throws {
    let tool = try FitTests.tool()
    try Self.killed(tool, "out", after: 4)
    try tool.replace("number 7", by: "number 8", in: "text.txt")
    try tool.expectError(
      Self.fit("out", ["--resume"]),
      "cannot resume: the training data is not what it was; there are as many samples, but others")
  }

  @Test func learningRate() throws {
    let tool = try FitTests.tool()
    try Self.killed(tool, "out", after: 4)
    let options = Self.fit("out", ["--resume", "--learning-rate", "1e-4"])
    try tool.expectError(
      options, "cannot resume: --learning-rate was 0.001 and is 0.0001 now", hint: "--change-learning-rate")
    try tool.succeed(options + ["--change-learning-rate"])
    #expect(abs((History(try tool.read("out/history.csv")).numbers("learning_rate").last ?? .nan) - 1e-4) < 1e-9)
  }

  /// Where the learning rate depends on the length, another length is another training.
  @Test func length() throws {
    let tool = try FitTests.tool()
    let options = Self.options + ["--schedule", "linear"]
    try tool.succeed(FitTests.fit + options)
    try tool.expectError(
      FitTests.fit + options + ["--resume", "--epochs", "4"],
      "cannot resume: the length was --epochs 3 and is --epochs 4 now, and the learning rate depends on it")
    try tool.succeed(FitTests.fit + options + ["--resume"])
  }

  @Test func wrongUsage() throws {
    let tool = try FitTests.tool()
    try tool.expectError(
      FitTests.fit + ["--early-stopping", "2"], "--early-stopping needs something to validate on",
      hint: "--validation", status: 2)
    try tool.expectError(
      FitTests.fit + ["--freeze", "layers:1-3"], "cannot freeze layers:1-3: the model has 3 layers, 0 to 2")
    try tool.expectError(
      FitTests.fit + ["--freeze", "layer:1"], "--freeze: 'layer:1' is no part of a model", hint: "layers:0-3", status: 2
    )
    try tool.expectError(
      FitTests.fit + ["--freeze", "head,backbone"], "everything is frozen, and nothing is left to train")
  }

  // MARK: Checkpoints

  @Test func kept() throws {
    let tool = try FitTests.tool()
    try tool.succeed(Self.fit("out", ["--checkpoint-every", "2", "--keep", "4"]))
    let names = tool.names(in: "out/checkpoints")
    #expect(names.suffix(1) != ["finished"] && ["step-10", "step-12", "step-14", "step-15"].allSatisfy(names.contains))
    #expect(tool.names(in: "out/checkpoints/step-15").contains("config.json"))
  }

  @Test func earlyStopping() throws {
    let tool = try FitTests.tool()
    // So fast that it soon gets worse.
    let options =
      FitTests.fit + [
        "--validation", "held-out.txt", "--learning-rate", "0.03", "--epochs", "40", "--batch-size", "8",
      ]
    try tool.write("a bee ran on a hen\nnumber ran the sat\nthe owl and the pig and the dog\n", to: "held-out.txt")
    let result = try tool.succeed(options + ["--early-stopping", "2"])
    #expect(result.messages.contains("stopped early: no better validation loss in 2 evaluations"))
    let losses = History(try tool.read("mlm-model/history.csv")).numbers("val_loss")
    #expect(losses.count < 40 && losses.count >= 3 && losses.suffix(2).allSatisfy { $0 > losses.min() ?? .infinity })
    let figures = try tool.succeed(["evaluate", "held-out.txt", "--format", "json"]).figures
    #expect(abs((figures["loss"] ?? .nan) - (losses.min() ?? 0)) < 1e-7)
    // Interrupted at its last step, it ends in the same way.
    try tool.succeed(options + ["--output", "part", "--max-steps", "\(3 * losses.count - 1)"])
    try tool.succeed(options + ["--output", "part", "--early-stopping", "2", "--resume"])
    #expect(try FitTests.weights(tool, "part") == FitTests.weights(tool))
    let again = try tool.succeed(options + ["--output", "part", "--early-stopping", "2", "--resume"])
    #expect(again.messages.contains("nothing is left to do"))
  }

  @Test func splitIsCounted() throws {
    let tool = try FitTests.tool()
    let result = try tool.succeed(FitTests.fit + ["--validation-split", "0.25"])
    #expect(result.messages.contains("18 of 24 samples to train on, 6 to validate on"))
  }

  /// A full disk: the error says so, and the checkpoint before is whole.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/prlimit"), "there is no prlimit"))
  func fileTooLarge() throws {
    let tool = try FitTests.tool()
    // The weights fit into the limit, the moments do not.
    let size = try Data(contentsOf: URL(fileURLWithPath: Tool.micro + "/model.safetensors")).count
    let result = try tool.shell(
      "ulimit -f \(size / 1024 + 4); trap '' XFSZ; mlm \(FitTests.fit.joined(separator: " ")) --checkpoint-every 1")
    #expect(result.status == 1 && result.errors.count == 1, "\(result.messages)")
    #expect(tool.names() == ["text.txt"])
  }
}
