import Foundation
import Testing

/// Tests `mlm fit` from outside: the files it writes, the errors, and the independence of its results.
@Suite struct FitTests {
  static let files = [
    "README.md", "checkpoints", "config.json", "history.csv", "history.svg", "model.safetensors",
    "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "training.json", "vocab.txt",
  ]
  static let columns = [
    "epoch", "step", "samples", "tokens", "loss", "accuracy", "learning_rate", "val_loss", "val_accuracy", "seconds",
  ]
  static let fit = ["fit", "text.txt", "--preset", Tool.micro]

  /// A directory with a text of 24 distinct lines.
  static func tool() throws -> Tool {
    let tool = try Tool()
    let words = ["cat", "dog", "fox", "hen", "cow", "pig", "owl", "bee"]
    let lines = (0..<24).map { "the \(words[$0 % 8]) number \($0) sat on the \(words[($0 * 3 + 1) % 8]) and ran" }
    try tool.write(lines.joined(separator: "\n") + "\n", to: "text.txt")
    return tool
  }

  static func weights(_ tool: Tool, _ directory: String = "mlm-model") throws -> Data {
    try tool.read("\(directory)/model.safetensors")
  }

  // MARK: Written files

  @Test func wholeDirectory() throws {
    let tool = try Self.tool()
    let result = try tool.succeed(Self.fit + ["--epochs", "2", "--batch-size", "8"])
    #expect(result.output.isEmpty)
    #expect(result.messageLines.last == "mlm: note: wrote ./mlm-model")
    #expect(tool.names() == ["mlm-model", "text.txt"])
    #expect(tool.names(in: "mlm-model") == Self.files)
    let history = History(try tool.read("mlm-model/history.csv"))
    #expect(history.columns == Self.columns && history.rows.count == 2)
    #expect(
      history.numbers("epoch") == [1, 2] && history.numbers("step") == [3, 6] && history.numbers("samples") == [24, 48])
    #expect(history.rows.allSatisfy { $0["val_loss"] == "" && $0["val_accuracy"] == "" })
    #expect(try Self.weights(tool) != Data(contentsOf: URL(fileURLWithPath: Tool.micro + "/model.safetensors")))
    // The next command uses it by default.
    let predicted = try tool.succeed(["predict", "a [MASK]"])
    #expect(predicted.messages == "mlm: note: the model is ./mlm-model, written by fit\n")
  }

  @Test func foldersOnTheWay() throws {
    let tool = try Self.tool()
    try tool.succeed(Self.fit + ["--output", "a/b/c"])
    #expect(tool.names(in: "a/b") == ["c"] && tool.names(in: "a/b/c") == Self.files)
    // An empty directory contains no model, so it may be replaced.
    try FileManager.default.createDirectory(atPath: tool.path("empty"), withIntermediateDirectories: false)
    try tool.succeed(Self.fit + ["--output", "empty/"])
    #expect(tool.names(in: "empty") == Self.files)
  }

  @Test func quiet() throws {
    let result = try Self.tool().succeed(Self.fit + ["--quiet", "--epochs", "2"])
    #expect(result.messages.isEmpty && result.output.isEmpty)
  }

  @Test func log() throws {
    let tool = try Self.tool()
    try tool.succeed(
      Self.fit + ["--log", "log.csv", "--max-steps", "3", "--batch-size", "4", "--validation-split", "0.25"])
    let history = History(try tool.read("log.csv"))
    #expect(history.columns == Self.columns && history.numbers("step") == [3])
    #expect(history.numbers("val_loss")[0] > 0 && abs(history.numbers("learning_rate")[0] - 5e-5) < 1e-9)
    // 18 of 24 lines are for training, and 3 steps take 12 of them.
    #expect(history.numbers("samples") == [12])
  }

  @Test func standardInput() throws {
    let tool = try Self.tool()
    try tool.succeed(Self.fit + ["--output", "a"])
    let text = String(decoding: try tool.read("text.txt"), as: UTF8.self)
    try tool.succeed(["fit", "-", "--preset", Tool.micro, "--output", "b"], input: text)
    #expect(try Self.weights(tool, "a") == Self.weights(tool, "b"))
    #expect(tool.names() == ["a", "b", "text.txt"])
  }

  // MARK: Errors before training

  @Test func existingOutput() throws {
    let tool = try Self.tool()
    try tool.succeed(Self.fit)
    let first = try Self.weights(tool)
    // A missing FILE shows that nothing was read before.
    try tool.expectError(Self.fit + ["missing.txt"], "./mlm-model already exists", hint: "--overwrite")
    try tool.expectError(Self.fit, "./mlm-model already exists", hint: "--overwrite")
    try tool.write("mine", to: "mlm-model/notes.txt")
    try tool.succeed(Self.fit + ["--overwrite", "--seed", "1"])
    #expect(try Self.weights(tool) != first)
    #expect(tool.names() == ["mlm-model", "text.txt"])
    #expect(try tool.read("mlm-model/notes.txt") == Data("mine".utf8))
    #expect(tool.names(in: "mlm-model") == (Self.files + ["notes.txt"]).sorted())
  }

  @Test func whatIsNoModelStays() throws {
    let tool = try Self.tool()
    try tool.write("mine", to: "folder/letter.txt")
    try tool.expectError(Self.fit + ["--output", "folder"], "folder already exists")
    try tool.expectError(
      Self.fit + ["--output", "folder", "--overwrite"], "cannot replace folder: not a model directory"
    )
    try tool.expectError(Self.fit + ["--output", "text.txt"], "text.txt already exists")
    let overwriting = try tool.run(Self.fit + ["--output", "text.txt", "--overwrite"])
    #expect(overwriting.status == 1 && overwriting.errors.count == 1)
    try tool.expectError(Self.fit + ["--output", "text.txt/x"], "\(tool.path("text.txt")) is not a directory")
  }

  @Test(.enabled(if: Tool.bound != nil, "root can write everywhere, and there is no setpriv"))
  func unwritableFolder() throws {
    let tool = try Self.tool()
    try tool.copyMicro("micro")
    try FileManager.default.createDirectory(atPath: tool.path("locked"), withIntermediateDirectories: false)
    chmod(tool.path("locked"), 0o555)
    let result = try tool.shell("\(Tool.bound ?? "")mlm fit text.txt --preset micro --output locked/model")
    result.expectError("\(tool.path("locked")): no permission to write it")
    #expect(tool.names(in: "locked").isEmpty)
  }

  /// A file system to which not even root can write.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self"), "there is no /proc"))
  func unwritableFileSystem() throws {
    let result = try Self.tool().run(Self.fit + ["--output", "/proc/mlm-model"])
    #expect(result.status == 1 && result.errors.count == 1 && !result.messages.contains("epoch"), "\(result.messages)")
  }

  @Test func unwritableLog() throws {
    let tool = try Self.tool()
    try tool.expectError(
      Self.fit + ["--log", "no/log.csv"], "cannot write the log no/log.csv: no such file or directory")
    try tool.expectError(Self.fit + ["--log", "."], "cannot write the log .: is a directory")
    try tool.expectError(
      Self.fit + ["--log", "/dev/full"], "cannot write the log /dev/full: no space left on device")
  }

  @Test func sequenceLength() throws {
    let tool = try Self.tool()
    try tool.expectError(
      Self.fit + ["--sequence-length", "49"], "--sequence-length 49 exceeds the model's 48 positions",
      status: 2)
    try tool.expectError(
      Self.fit + ["--sequence-length", "2"], "--sequence-length: '2' is not a whole number of at least 3", status: 2)
    let long = try tool.succeed(Self.fit + ["--sequence-length", "12", "--output", "long"])
    #expect(long.messages.contains("further samples, no token lost"))
    let both = try tool.succeed(
      Self.fit + ["--sequence-length", "12", "--validation", "text.txt", "--output", "both"])
    let notes = both.messageLines.filter { $0.contains("no token lost") }
    #expect(notes.map { $0.hasPrefix("mlm: note: validation: ") } == [false, true])
    let cut = try tool.succeed(Self.fit + ["--sequence-length", "12", "--truncate", "--output", "cut"])
    #expect(cut.messages.contains("dropped"))
    let samples = try ["long", "cut"].map { History(try tool.read("\($0)/history.csv")).numbers("samples")[0] }
    #expect(samples[0] > 24 && samples[1] == 24)
  }

  // MARK: Interruptions

  @Test(arguments: [("TERM", Int32(143)), ("INT", 130)]) func signal(_ name: String, _ status: Int32) throws {
    let tool = try Self.tool()
    // Background jobs of a script ignore SIGINT, except with job control.
    let result = try tool.shell(
      """
      set -m
      # Whoever runs the tests may ignore or block the signals, and children inherit that.
      env --default-signal=TERM,INT mlm fit text.txt --preset "$MICRO" --epochs 2000 --output out 2> messages &
      for i in $(seq 200); do grep -q '^epoch 2/' messages && break; sleep 0.05; done
      kill -\(name) $!; wait $!
      """, environment: ["MICRO": Tool.micro])
    #expect(result.status == status)
    let messages = String(decoding: try tool.read("messages"), as: UTF8.self)
    #expect(
      messages.contains("interrupted by a signal") && messages.contains("--resume") && !messages.contains("error"))
    #expect(tool.names() == ["messages", "out", "text.txt"] && tool.names(in: "out") == ["checkpoints"])
    // A checkpoint is a model.
    let names = tool.names(in: "out/checkpoints")
    #expect(names.contains("history.csv"))
    let newest = try #require(names.filter { $0.hasPrefix("step-") }.max { $0.utf8.count < $1.utf8.count })
    try tool.succeed(["predict", "--preset", "out/checkpoints/\(newest)", "a [MASK]"])
  }

  @Test func lossThatIsNoNumber() throws {
    let tool = try Self.tool()
    let result = try tool.run(
      Self.fit + ["--learning-rate", "1e30", "--warmup-steps", "2", "--batch-size", "8", "--epochs", "5"])
    #expect(result.status == 1 && result.errors.count == 1 && result.output.isEmpty, "\(result.messages)")
    let error = "the update of step 2, learning rate 5e+29, made weights"
    #expect(result.errors.first?.contains(error) == true, "\(result.messages)")
    // The previous step is kept: the refused one did not change weights and moments.
    #expect(result.messages.contains("the last good checkpoint is ./mlm-model/checkpoints/step-1"))
    #expect(tool.names(in: "mlm-model") == ["checkpoints"])
  }

  @Test func lossThatIsNoNumberAfterACheckpoint() throws {
    let tool = try Self.tool()
    let result = try tool.run(
      Self.fit + ["--learning-rate", "1e30", "--warmup-steps", "2", "--batch-size", "8", "--checkpoint-every", "1"])
    #expect(result.status == 1 && result.errors.count == 1 && result.output.isEmpty, "\(result.messages)")
    let checkpoint = "./mlm-model/checkpoints/step-1"
    #expect(result.messages.contains("the last good checkpoint is \(checkpoint)"), "\(result.messages)")
    #expect(tool.names(in: "mlm-model/checkpoints") == ["history.csv", "step-1"])
    // The state is valid: its results are finite, and training continues from it.
    let figures = try tool.succeed(["evaluate", "text.txt", "--preset", checkpoint, "--format", "json"]).figures
    #expect(figures["loss"]?.isFinite == true)
    try tool.succeed(
      Self.fit + [
        "--learning-rate", "1e-4", "--change-learning-rate", "--warmup-steps", "2", "--batch-size", "8", "--resume",
      ])
    #expect(tool.names(in: "mlm-model") == Self.files)
  }

  @Test func nothingLearnedNothingWritten() throws {
    let tool = try Self.tool()
    let result = try tool.run(Self.fit + ["--learning-rate", "1e30", "--max-steps", "1"])
    #expect(result.status == 1 && result.errors.count == 1, "\(result.messages)")
    #expect(tool.names() == ["text.txt"])
  }

  /// A run without masked tokens fails, and changes no file.
  @Test(arguments: [[], ["--overwrite"], ["--mask-sampling", "bernoulli", "--overwrite"]])
  func noTokenLearnedIsNoLossOfZero(_ options: [String]) throws {
    let tool = try Self.tool()
    try tool.write("\u{200D}\n\u{200D}\n", to: "none.txt")
    if options.contains("--overwrite") { try tool.succeed(Self.fit) }
    let before = tool.contents.filter { !$0.key.hasPrefix("mlm-model/checkpoints") }
    let result = try tool.run(["fit", "none.txt", "--preset", Tool.micro, "--quiet"] + options)
    result.expectError("no token of the samples is masked, so there is nothing to learn; no model was written")
    #expect(tool.contents.filter { !$0.key.hasPrefix("mlm-model/checkpoints") } == before)
  }

  /// A failure before the first step changes no existing file, in particular no checkpoint of an earlier training.
  @Test(arguments: [
    ["--log", "no/log.csv"], ["--log", "/dev/full"], ["--log", "new.csv", "--tensorboard", "text.txt"],
    ["--tensorboard", "text.txt"], ["--validation", "no.txt"], ["--vocabulary", "no.txt"], ["--preset", "no"],
    ["--freeze", "head,backbone"], ["--sequence-length", "99"], ["--config", "no.json"], ["none.txt"],
    ["--validation", "none.txt", "--early-stopping", "1"],
  ])
  func overwriteRemovesNothingBeforeAllIsOpen(_ options: [String]) throws {
    let tool = try Self.tool()
    try tool.write("\u{200D}\n", to: "none.txt")
    try tool.succeed(Self.fit + ["--batch-size", "8", "--checkpoint-every", "1"])
    let before = tool.contents
    let fit = options == ["none.txt"] ? ["fit", "none.txt"] : ["fit", "text.txt"]
    let more = options == ["none.txt"] ? [] : options
    let preset = options.contains("--preset") ? [] : ["--preset", Tool.micro]
    let result = try tool.run(fit + preset + ["--overwrite"] + more)
    #expect(result.status != 0 && result.errors.count == 1, "\(result.messages)")
    #expect(tool.contents == before)
  }

  // MARK: Results

  @Test func memorisesASmallText() throws {
    let tool = try Tool()
    let text = (0..<16).map { "the quick brown fox number \($0) jumped over the lazy dog\n" }.joined()
    try tool.write(text, to: "text.txt")
    try tool.succeed([
      "fit", "text.txt", "--preset", "distil_bert_tiny_en_uncased", "--no-load-weights", "--layers", "2",
      "--hidden-dim", "128", "--heads", "2", "--learning-rate", "2e-3", "--epochs", "80", "--batch-size", "16",
      "--dropout", "0",
    ])
    let losses = History(try tool.read("mlm-model/history.csv")).numbers("loss")
    #expect(losses.count == 80 && losses[0] > 8 && losses.suffix(10).reduce(0, +) / 10 < 0.5, "\(losses.suffix(10))")
    let answer = try tool.succeed([
      "predict", "the quick brown fox number 3 jumped [MASK] the lazy dog", "--format", "fill",
    ])
    #expect(answer.output == "the quick brown fox number 3 jumped over the lazy dog\n")
  }

  @Test func sameSeedSameBytes() throws {
    let tool = try Self.tool()
    let options = ["--epochs", "2", "--batch-size", "8", "--dropout", "0.1"]
    for (name, seed) in [("a", "7"), ("b", "7"), ("c", "8")] {
      try tool.succeed(Self.fit + options + ["--seed", seed, "--output", name])
    }
    #expect(try Self.weights(tool, "a") == Self.weights(tool, "b"))
    #expect(try Self.weights(tool, "a") != Self.weights(tool, "c"))
  }

  @Test func threads() throws {
    let tool = try Self.tool()
    for threads in ["1", "2", "5"] {
      try tool.succeed(Self.fit + ["--epochs", "3", "--batch-size", "8", "--threads", threads, "--output", threads])
    }
    let losses = try ["1", "2", "5"].map { History(try tool.read("\($0)/history.csv")).numbers("loss") }
    for other in losses.dropFirst() {
      for (a, b) in zip(losses[0], other) { #expect(abs(a - b) < 1e-4) }
    }
  }

  @Test func gradientAccumulation() throws {
    let tool = try Self.tool()
    let options = Self.fit + ["--epochs", "4", "--learning-rate", "1e-3"]
    try tool.succeed(options + ["--batch-size", "8", "--output", "a"])
    try tool.succeed(options + ["--batch-size", "4", "--gradient-accumulation", "2", "--output", "b"])
    try tool.succeed(options + ["--batch-size", "4", "--output", "c"])
    let (a, b, c) = (
      History(try tool.read("a/history.csv")), History(try tool.read("b/history.csv")),
      History(try tool.read("c/history.csv"))
    )
    #expect(
      a.numbers("step") == [3, 6, 9, 12] && b.numbers("step") == a.numbers("step")
        && c.numbers("step") != a.numbers("step"))
    for (x, y) in zip(a.numbers("loss"), b.numbers("loss")) { #expect(abs(x - y) < 1e-3) }
    #expect(zip(a.numbers("loss"), c.numbers("loss")).contains { abs($0 - $1) > 1e-2 })
  }

  @Test func freezeBackbone() throws {
    let tool = try Self.tool()
    try tool.succeed(Self.fit + ["--freeze-backbone", "--learning-rate", "1e-2", "--epochs", "2"])
    let before = try tensors(of: Data(contentsOf: URL(fileURLWithPath: Tool.micro + "/model.safetensors")))
    let after = try tensors(of: Self.weights(tool))
    #expect(Set(after.keys).isSubset(of: Set(before.keys)))
    for (name, bytes) in after {
      let isHead = !name.hasPrefix("distilbert.")
      #expect((bytes != before[name]) == isHead, "\(name)")
    }
    #expect(after.keys.contains { !$0.hasPrefix("distilbert.") })
  }

  @Test func validation() throws {
    let tool = try Self.tool()
    try tool.succeed(Self.fit + ["--validation", "text.txt", "--epochs", "3", "--log", "log.csv"])
    let history = History(try tool.read("log.csv"))
    #expect(history.numbers("val_loss").allSatisfy { $0 > 0 } && history.rows.count == 3)
    // The last value is that of the written model.
    let figures = try tool.succeed(["evaluate", "text.txt", "--format", "json"]).figures
    #expect(abs((figures["loss"] ?? .nan) - history.numbers("val_loss")[2]) < 1e-5)
    #expect(figures["accuracy"] == history.numbers("val_accuracy")[2])
  }

  @Test func schedules() throws {
    let tool = try Self.tool()
    for schedule in ["constant", "linear", "cosine"] {
      let options = ["--schedule", schedule, "--warmup-steps", "2", "--learning-rate", "1e-3", "--epochs", "8"]
      try tool.succeed(Self.fit + options + ["--output", schedule])
    }
    let rates = try ["constant", "linear", "cosine"].map {
      History(try tool.read("\($0)/history.csv")).numbers("learning_rate")
    }
    for rate in rates { #expect(rate.count == 8 && rate[0] < 1e-3 && rate.allSatisfy { $0 < 1.0001e-3 }) }
    #expect(rates[0].suffix(5).allSatisfy { abs($0 - 1e-3) < 1e-8 })
    for rate in rates.dropFirst() {
      #expect(zip(rate.dropFirst(2), rate.dropFirst(3)).allSatisfy { $0 > $1 } && rate[7] < 3e-4)
    }
    #expect(rates[1] != rates[2])
  }

  /// Options, and the run to compare with. A norm or a divisor affects Adam only with a large ε.
  @Test(arguments: [
    (["--dropout", "0.5"], []), (["--optimizer", "adamw"], []), (["--weight-decay", "0.5"], []),
    (["--optimizer", "adamw", "--weight-decay", "0.5"], ["--optimizer", "adamw"]),
    (["--clip-norm", "0.001"], ["--epsilon", "1"]),
    (["--loss-reduction", "sum-over-batch-size"], ["--epsilon", "1e-2"]),
    (["--epsilon", "1e-2"], []), (["--beta1", "0.5"], []), (["--beta2", "0.5"], []), (["--no-shuffle"], []),
    (["--mask-selection-rate", "0.5"], []), (["--mask-selection-length", "1"], []),
    (["--mask-token-rate", "0", "--random-token-rate", "1"], []),
    (["--mask-sampling", "bernoulli"], []), (["--whole-word-masking"], []),
  ])
  func optionsAreHeard(_ options: [String], _ base: [String]) throws {
    let tool = try Self.tool()
    let common = Self.fit + ["--batch-size", "8", "--learning-rate", "1e-3", "--epochs", "2"]
    try tool.succeed(common + base + ["--output", "plain"])
    try tool.succeed(common + base + options + ["--output", "other"])
    #expect(try Self.weights(tool, "plain") != Self.weights(tool, "other"))
  }
}
