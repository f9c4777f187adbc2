import Foundation
import Testing

/// Tests checkpoints and `--resume` from outside.
@Suite struct ResumeTests {
  private static let options = [
    "--batch-size", "4", "--learning-rate", "1e-3", "--epochs", "3", "--validation-split", "0.25", "--dropout", "0.1",
  ]

  private static func fit(_ output: String, _ more: [String] = []) -> [String] {
    FitTests.fit + options + ["--output", output] + more
  }

  /// Leaves the files of a training that stops after a step and its checkpoint, by removing the model of a training
  /// with that many steps.
  private static func unfinished(
    _ tool: Tool, _ output: String, after steps: Int, _ options: [String] = options
  ) throws {
    try tool.succeed(
      FitTests.fit + options + ["--output", output, "--max-steps", "\(steps)", "--checkpoint-every", "1"])
    for name in FitTests.files where name != "checkpoints" { try tool.remove("\(output)/\(name)") }
    try tool.remove("\(output)/checkpoints/finished")
  }

  @Test(arguments: [1, 4, 5, 8, 10, 13]) func sameBytes(_ step: Int) throws {
    let tool = try FitTests.tool()
    try tool.succeed(Self.fit("whole"))
    try Self.unfinished(tool, "part", after: step)
    #expect(tool.names(in: "part") == ["checkpoints"])
    let result = try tool.succeed(Self.fit("part", ["--resume"]))
    #expect(result.messages.contains("continuing from part/checkpoints/step-\(step)"))
    #expect(tool.names(in: "part") == FitTests.files)
    #expect(try FitTests.weights(tool, "part") == FitTests.weights(tool, "whole"))
    // Except for the elapsed time.
    let histories = try ["part", "whole"].map { History(try tool.read("\($0)/history.csv")) }
    for column in FitTests.columns where column != "seconds" {
      #expect(histories[0].rows.map { $0[column] } == histories[1].rows.map { $0[column] }, "\(column)")
    }
    #expect(tool.names() == ["part", "text.txt", "whole"])
  }

  /// A training killed by SIGKILL twice and resumed writes the same bytes as an uninterrupted one.
  @Test(arguments: [1, 5, 13, 30]) func killed(_ step: Int) throws {
    let tool = try FitTests.tool()
    let fit =
      FitTests.fit + [
        "--batch-size", "4", "--learning-rate", "1e-3", "--epochs", "20", "--validation-split", "0.25", "--dropout",
        "0.1", "--checkpoint-every", "1", "--log-every", "1",
      ]
    try tool.succeed(fit + ["--output", "whole"])
    for (options, step) in [([], step), (["--resume"], step + 7)] {
      // The log is an unread pipe with room for about forty rows, so the training cannot end before it is killed.
      let line = (fit + ["--output", "part", "--log", "log"] + options).map { "'\($0)'" }.joined(separator: " ")
      let result = try tool.shell(
        """
        mkfifo log; exec 3<>log; printf '%62500s' '' >&3
        newest() { ls part/checkpoints 2> /dev/null | sed -n 's/^step-//p' | sort -n | tail -1; }
        mlm \(line) & pid=$!
        until [ "0$(newest)" -ge \(step) ]; do kill -0 $pid || exit 1; sleep 0.005; done
        kill -KILL $pid; wait $pid; status=$?; rm log; exit $status
        """)
      #expect(result.status == 137, "\(result.messages)")
      #expect(tool.names(in: "part") == ["checkpoints"])
    }
    let newest = tool.names(in: "part/checkpoints").compactMap { Int($0.dropFirst("step-".count)) }.max()
    let result = try tool.succeed(fit + ["--output", "part", "--resume"])
    #expect(result.messages.contains("continuing from part/checkpoints/step-\(newest ?? 0)\n"), "\(result.messages)")
    #expect(try FitTests.weights(tool, "part") == FitTests.weights(tool, "whole"))
    #expect(tool.names(in: "part") == FitTests.files && tool.names() == ["part", "text.txt", "whole"])
  }

  @Test func finished() throws {
    let tool = try FitTests.tool()
    let options = ["--batch-size", "4", "--learning-rate", "1e-3"]
    try tool.succeed(FitTests.fit + options + ["--epochs", "3", "--output", "whole"])
    try tool.succeed(FitTests.fit + options)
    let before = tool.contents
    let again = try tool.succeed(FitTests.fit + options + ["--resume"])
    #expect(again.messages.contains("the training is already finished, after 6 steps: nothing to do"))
    #expect(tool.contents == before)
    // The length may grow, and the output directory may differ.
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
      "cannot resume: the training data changed from 24 samples to 1",
      input: "the cat\n")
    try tool.succeed(fit + ["--resume", "--epochs", "2"], input: text)
  }

  /// The written model is the best one, although the training had ended without early stopping.
  @Test func earlyStoppingThatComesLate() throws {
    let tool = try FitTests.tool()
    try tool.write("a bee ran on a hen\nnumber ran the sat\nthe owl and the pig and the dog\n", to: "held-out.txt")
    let options =
      FitTests.fit + ["--validation", "held-out.txt", "--learning-rate", "0.03", "--epochs", "9", "--batch-size", "8"]
    try tool.succeed(options + ["--output", "whole", "--early-stopping", "9"])
    try tool.succeed(options + ["--output", "part"])
    #expect(try FitTests.weights(tool, "part") != FitTests.weights(tool, "whole"))
    let result = try tool.succeed(options + ["--output", "part", "--resume", "--early-stopping", "9"])
    #expect(result.messages.contains("note: --early-stopping changed from off to 9\n"), "\(result.messages)")
    #expect(try FitTests.weights(tool, "part") == FitTests.weights(tool, "whole"))
    let file = String(decoding: try tool.read("part/training.json"), as: UTF8.self)
    #expect(file.contains("\"early-stopping\": 9"))
    // A limit that would have stopped the training long before.
    let late = try tool.succeed(options + ["--output", "part", "--resume", "--early-stopping", "1", "--epochs", "10"])
    #expect(late.messages.contains("nothing to do"), "\(late.messages)")
    try tool.succeed(options + ["--output", "part", "--resume"])
    #expect(try FitTests.weights(tool, "part") != FitTests.weights(tool, "whole"))
  }

  /// Another number of threads changes only the last digits, with a note. If nothing is left to compute, training.json
  /// keeps the original number.
  @Test func threads() throws {
    let tool = try FitTests.tool()
    try Self.unfinished(tool, "part", after: 4, Self.options + ["--threads", "1"])
    let rest = try tool.succeed(Self.fit("part", ["--resume", "--threads", "2"]))
    #expect(rest.messages.contains("--threads changed from 1 to 2, so the last digits may differ"))
    try Self.unfinished(tool, "out", after: 15, Self.options + ["--threads", "1"])
    let same = try tool.succeed(Self.fit("out", ["--resume", "--threads", "2"]))
    #expect(!same.messages.contains("last digits"))
    #expect(String(decoding: try tool.read("out/training.json"), as: UTF8.self).contains("\"threads\": 1"))
    let again = try tool.succeed(Self.fit("out", ["--resume", "--threads", "2"]))
    #expect(again.messages.contains("nothing to do") && !again.messages.contains("last digits"))
  }

  /// The checkpoint holds the model, so a preset or a vocabulary may have another name, but not another content.
  @Test func presetsAreComparedByWhatTheyAre() throws {
    let tool = try FitTests.tool()
    try tool.copyMicro("micro")
    let fit = ["fit", "text.txt", "--batch-size", "4", "--output", "out"]
    try tool.succeed(fit + ["--preset", "micro", "--max-steps", "2"])
    try FileManager.default.createSymbolicLink(atPath: tool.path("link"), withDestinationPath: "micro")
    try tool.succeed(["presets", "--export", "copy", "micro"])
    for (index, name) in ["micro/", "./micro", tool.path("micro"), "link", "link/", "copy", Tool.micro].enumerated() {
      try tool.succeed(fit + ["--preset", name, "--resume", "--max-steps", "\(3 + index)"])
    }
    try tool.succeed(["fit", "text.txt", "--preset", "micro", "--output", "other", "--learning-rate", "1e-3"])
    try tool.expectError(
      fit + ["--preset", "other", "--resume", "--epochs", "3"],
      "cannot resume: --preset changed from \(Tool.micro) to other",
      hint: "omit --preset")
    // It need not exist anymore.
    try tool.remove("micro")
    try tool.succeed(fit + ["--resume", "--epochs", "3"])
  }

  @Test func vocabulariesAreComparedByWhatTheyAre() throws {
    let tool = try FitTests.tool()
    let pieces = String(decoding: try Data(contentsOf: URL(fileURLWithPath: Tool.micro + "/vocab.txt")), as: UTF8.self)
    for name in ["a.txt", "b.txt"] { try tool.write(pieces, to: name) }
    try tool.write(pieces + "more\n", to: "c.txt")
    let fit = FitTests.fit + ["--batch-size", "4", "--output", "out", "--vocabulary"]
    try tool.succeed(fit + ["a.txt", "--max-steps", "2"])
    try tool.succeed(fit + ["./b.txt", "--resume", "--max-steps", "3"])
    try tool.expectError(
      fit + ["c.txt", "--resume", "--max-steps", "4"],
      "cannot resume: --vocabulary changed from ./b.txt to c.txt")
    try tool.expectError(
      FitTests.fit + ["--batch-size", "4", "--output", "out", "--resume"],
      "cannot resume: --vocabulary changed from ./b.txt to the preset's")
  }

  /// The error names the damaged checkpoint, and following its hint resumes from the previous one.
  @Test func damagedNewestCheckpoint() throws {
    let tool = try FitTests.tool()
    try tool.succeed(Self.fit("whole"))
    try Self.unfinished(tool, "my part", after: 8)
    let newest = "my part/checkpoints/step-8"
    let file = "\(newest)/model.safetensors"
    try tool.write(try tool.read(file).dropLast(1000), to: file)
    let hint = "my part/checkpoints/step-7 is intact; to resume from it, remove the damaged one: rm -r '\(newest)'"
    try tool.expectError(
      Self.fit("my part", ["--resume"]),
      "the newest checkpoint, \(newest), is damaged: model.safetensors: contents changed since it was written",
      hint: hint)
    let command = try #require(hint.split(separator: ": ").last)
    #expect(try tool.shell(String(command)).status == 0)
    let result = try tool.succeed(Self.fit("my part", ["--resume"]))
    #expect(result.messages.contains("continuing from my part/checkpoints/step-7"))
    #expect(try FitTests.weights(tool, "my part") == FitTests.weights(tool, "whole"))
    // Without an older one.
    try Self.unfinished(tool, "only", after: 1)
    try tool.write("", to: "only/checkpoints/step-1/training_state.json")
    try tool.expectError(
      Self.fit("only", ["--resume"]),
      "the newest checkpoint, only/checkpoints/step-1, is damaged: training_state.json: invalid JSON: expected a value but the text ends, at byte 0",
      hint: "start over with --overwrite")
  }

  /// A card left by a killed training is not mistaken for a file of the user.
  @Test func halfWrittenCard() throws {
    let tool = try FitTests.tool()
    try Self.unfinished(tool, "out", after: 4)
    try tool.write("# half a mod", to: ".out.tmp-99999999/README.md")
    try tool.succeed(Self.fit("out", ["--resume"]))
    #expect(tool.names() == ["out", "text.txt"] && tool.names(in: "out") == FitTests.files)
    #expect(
      String(decoding: try tool.read("out/README.md"), as: UTF8.self).hasPrefix("---\nlibrary_name: transformers"))
  }

  // MARK: Errors

  /// A shorter length is refused.
  @Test func shorter() throws {
    let tool = try FitTests.tool()
    try Self.unfinished(tool, "out", after: 4)
    try tool.expectError(
      Self.fit("out", ["--resume", "--max-steps", "3"]),
      "cannot resume: the training has already done 4 steps, more than --epochs 3 --max-steps 3 (3 steps)",
      hint: "start over with --overwrite")
  }

  @Test func whatIsThere() throws {
    let tool = try FitTests.tool()
    try tool.expectError(
      Self.fit("out", ["--resume"]), "no checkpoint in out/checkpoints", hint: "omit --resume")
    try Self.unfinished(tool, "out", after: 4)
    let newest = "out/checkpoints/step-4"
    try tool.expectError(
      Self.fit("out"), "out holds checkpoints of an unfinished run, the newest is \(newest)",
      hint: "continue with --resume, or start over with --overwrite")
    try tool.expectError(
      ["predict", "--preset", "out", "a [MASK]"],
      "out holds no model yet, only checkpoints of an unfinished run", hint: newest)
    try tool.succeed(["predict", "--preset", newest, "a [MASK]"])
    try FileManager.default.moveItem(atPath: tool.path("out"), toPath: tool.path("mlm-model"))
    try tool.expectError(
      ["predict", "a [MASK]"], "./mlm-model holds no model yet, only checkpoints of an unfinished run")
    try FileManager.default.moveItem(atPath: tool.path("mlm-model"), toPath: tool.path("out"))
    try tool.succeed(Self.fit("out", ["--overwrite", "--epochs", "1"]))
    #expect(tool.names(in: "out/checkpoints") == ["finished", "step-5"])
    try tool.expectError(Self.fit("out"), "out already exists", hint: "--overwrite")
  }

  @Test(arguments: [
    (["--batch-size", "8"], "--batch-size changed from 4 to 8"), (["--seed", "1"], "--seed changed from 0 to 1"),
    (["--dropout", "0"], "--dropout changed from 0.1 to 0.0"),
    (["--no-shuffle"], "--no-shuffle changed from off to on"),
    (["--freeze-backbone"], "--freeze changed from nothing to backbone"),
    (["--warmup-steps", "3"], "--warmup-steps changed from 0 to 3"),
    (["--optimizer", "adamw"], "--optimizer changed from adam to adamw"),
    (["--mask-selection-rate", "0.3"], "--mask-selection-rate changed from 0.15 to 0.3"),
    (["--sequence-length", "20"], "--sequence-length changed from the model's to 20"),
    (["--validation-split", "0.5"], "--validation-split changed from 0.25 to 0.5"),
    (["--gradient-accumulation", "2"], "--gradient-accumulation changed from 1 to 2"),
    (["--preset", "other"], "--preset changed from \(Tool.micro) to other"),
  ])
  func optionsThatDiffer(_ options: [String], _ message: String) throws {
    let tool = try FitTests.tool()
    try Self.unfinished(tool, "out", after: 4)
    try tool.expectError(
      Self.fit("out", ["--resume"] + options), "cannot resume: \(message)")
  }

  @Test func textThatDiffers() throws {
    let tool = try FitTests.tool()
    try Self.unfinished(tool, "out", after: 4)
    try tool.replace("number 7", by: "number 8", in: "text.txt")
    try tool.expectError(
      Self.fit("out", ["--resume"]),
      "cannot resume: the training data changed; the number of samples is the same")
  }

  @Test func learningRate() throws {
    let tool = try FitTests.tool()
    try Self.unfinished(tool, "out", after: 4)
    let options = Self.fit("out", ["--resume", "--learning-rate", "1e-4"])
    try tool.expectError(
      options, "cannot resume: --learning-rate changed from 0.001 to 0.0001", hint: "--change-learning-rate")
    try tool.succeed(options + ["--change-learning-rate"])
    #expect(abs((History(try tool.read("out/history.csv")).numbers("learning_rate").last ?? .nan) - 1e-4) < 1e-9)
  }

  /// If the learning rate depends on the length, another length is refused.
  @Test func length() throws {
    let tool = try FitTests.tool()
    let options = Self.options + ["--schedule", "linear"]
    try tool.succeed(FitTests.fit + options)
    try tool.expectError(
      FitTests.fit + options + ["--resume", "--epochs", "4"],
      "cannot resume: the length changed from --epochs 3 to --epochs 4, and the learning rate depends on it")
    try tool.succeed(FitTests.fit + options + ["--resume"])
  }

  @Test func wrongUsage() throws {
    let tool = try FitTests.tool()
    try tool.expectError(
      FitTests.fit + ["--early-stopping", "2"], "--early-stopping needs validation data",
      hint: "--validation", status: 2)
    try tool.expectError(
      FitTests.fit + ["--freeze", "layers:1-3"], "cannot freeze layers:1-3: the model has 3 layers, 0 to 2")
    try tool.expectError(
      FitTests.fit + ["--freeze", "layer:1"], "--freeze: unknown model part 'layer:1'", hint: "layers:0-3", status: 2
    )
    try tool.expectError(
      FitTests.fit + ["--freeze", "head,backbone"], "everything is frozen: nothing is left to train")
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
    // The learning rate is so high that the loss soon increases.
    let options =
      FitTests.fit + [
        "--validation", "held-out.txt", "--learning-rate", "0.03", "--epochs", "40", "--batch-size", "8",
      ]
    try tool.write("a bee ran on a hen\nnumber ran the sat\nthe owl and the pig and the dog\n", to: "held-out.txt")
    let result = try tool.succeed(options + ["--early-stopping", "2"])
    #expect(result.messages.contains("stopped early: the validation loss did not improve in 2 evaluations"))
    let losses = History(try tool.read("mlm-model/history.csv")).numbers("val_loss")
    #expect(losses.count < 40 && losses.count >= 3 && losses.suffix(2).allSatisfy { $0 > losses.min() ?? .infinity })
    let figures = try tool.succeed(["evaluate", "held-out.txt", "--format", "json"]).figures
    #expect(abs((figures["loss"] ?? .nan) - (losses.min() ?? 0)) < 1e-7)
    // A training interrupted at its last step has the same result.
    try tool.succeed(options + ["--output", "part", "--max-steps", "\(3 * losses.count - 1)"])
    try tool.succeed(options + ["--output", "part", "--early-stopping", "2", "--resume"])
    #expect(try FitTests.weights(tool, "part") == FitTests.weights(tool))
    let again = try tool.succeed(options + ["--output", "part", "--early-stopping", "2", "--resume"])
    #expect(again.messages.contains("nothing to do"))
  }

  @Test func splitIsCounted() throws {
    let tool = try FitTests.tool()
    let result = try tool.succeed(FitTests.fit + ["--validation-split", "0.25"])
    #expect(result.messages.contains("18 of 24 samples to train on, 6 to validate on"))
  }

  /// If the disk is full, the error says so, and the previous checkpoint is intact.
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
