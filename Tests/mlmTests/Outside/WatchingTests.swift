import Foundation
import Testing

@testable import mlm

/// Tests from outside what `mlm fit` shows and writes about a training.
@Suite struct WatchingTests {
  static let fit = FitTests.fit + ["--batch-size", "4", "--epochs", "2"]

  @Test func rows() throws {
    let tool = try FitTests.tool()
    try tool.succeed(Self.fit + ["--log-every", "4"])
    let history = History(try tool.read("mlm-model/history.csv"))
    // One row per step, also at the end of an epoch.
    #expect(history.numbers("step") == [4, 6, 8, 12])
    let picture = String(decoding: try tool.read("mlm-model/history.svg"), as: UTF8.self)
    #expect(picture.hasPrefix("<svg ") && picture.contains(">micro on text.txt<"))
  }

  /// The terminal, the card and the chart show the same loss, that of the last row.
  @Test func oneFinalLoss() throws {
    let tool = try FitTests.tool()
    let result = try tool.succeed(Self.fit + ["--log-every", "4", "--learning-rate", "1e-3"])
    let last = try #require(History(try tool.read("mlm-model/history.csv")).numbers("loss").last)
    let loss = String(format: "%.3f", last)
    #expect(
      result.messageLines.last { $0.hasPrefix("epoch ") }?.contains("loss \(loss) ") == true, "\(result.messages)")
    let card = String(decoding: try tool.read("mlm-model/README.md"), as: UTF8.self)
    let row = try #require(card.split(separator: "\n").first { $0.hasPrefix("| training loss ") })
    #expect(row.hasSuffix("| \(loss) |"), "\(row)")
    let picture = String(decoding: try tool.read("mlm-model/history.svg"), as: UTF8.self)
    #expect(picture.contains("last epoch: \(loss)<"))
  }

  /// A value that cannot be measured is shown as missing, not as 0.
  @Test func nothingMaskedInTheValidation() throws {
    let tool = try FitTests.tool()
    try tool.write("\u{200D}\n", to: "none.txt")
    let result = try tool.succeed(Self.fit + ["--validation", "none.txt"])
    #expect(result.messages.contains("warning: no token of the validation samples is masked"))
    #expect(result.messageLines.contains { $0.hasPrefix("epoch 2/2") && $0.contains("–") })
    let history = History(try tool.read("mlm-model/history.csv"))
    #expect(history.rows.allSatisfy { $0["val_loss"] == "" && $0["val_accuracy"] == "" && $0["loss"] != "" })
    let card = String(decoding: try tool.read("mlm-model/README.md"), as: UTF8.self)
    #expect(card.contains("| validation loss (step 6 → 12) | – | – |"))
    try tool.expectError(
      Self.fit + ["--validation", "none.txt", "--early-stopping", "2", "--output", "b"],
      "no token of the validation samples is masked, so --early-stopping cannot work")
  }

  @Test func tensorBoard() throws {
    let tool = try FitTests.tool()
    try tool.succeed(Self.fit + ["--tensorboard", "runs/a", "--validation-split", "0.25"])
    let names = tool.names(in: "runs/a")
    #expect(names.count == 1 && names[0].hasPrefix("events.out.tfevents."))
    let bytes = try tool.read("runs/a/" + names[0])
    for name in ["loss", "accuracy", "learning_rate", "val_loss", "val_accuracy", "tokens_per_second"] {
      #expect(bytes.range(of: Data(name.utf8)) != nil, "\(name)")
    }
    // Each run has its own event file; a path that is not a folder is an error before training.
    try tool.expectError(
      Self.fit + ["--output", "b", "--tensorboard", "text.txt"],
      "cannot write TensorBoard's events to text.txt: not a directory")
  }

  @Test func verbose() throws {
    let tool = try FitTests.tool()
    let plain = try tool.succeed(Self.fit)
    #expect(!plain.messages.contains("matrix products"))
    let verbose = try tool.succeed(Self.fit + ["--verbose", "--output", "b"])
    let lines = verbose.messageLines.filter { $0.contains("% of the threads' time in matrix products") }
    #expect(lines.count == 2)
    #expect(try FitTests.weights(tool) == FitTests.weights(tool, "b"))
    #expect((plain.messageLines + verbose.messageLines).filter { $0.hasPrefix("epoch") }.allSatisfy { $0.count < 80 })
  }

  @Test func card() throws {
    let tool = try FitTests.tool()
    try tool.succeed(Self.fit + ["--quiet", "--learning-rate", "1e-3", "--output", "models/my model"])
    let card = String(decoding: try tool.read("models/my model/README.md"), as: UTF8.self)
    #expect(card.contains("# my model\n") && card.contains("`text.txt`; 24 lines, 24 samples"))
    #expect(card.contains("12 optimizer steps in 2 epochs; 48 samples and"))
    // The command in it reproduces the model.
    let command = try #require(card.split(separator: "\n").first { $0.hasPrefix("mlm fit ") })
    let first = try FitTests.weights(tool, "models/my model")
    #expect(try tool.shell(String(command) + " --overwrite").status == 0)
    #expect(try FitTests.weights(tool, "models/my model") == first)
    #expect(tool.names(in: "models") == ["my model"] && tool.names(in: "models/my model") == FitTests.files)
  }

  /// A README.md that a user wrote is kept, and the card has another name; a card written by mlm is replaced.
  @Test func readmeOfTheUser() throws {
    let tool = try FitTests.tool()
    try tool.succeed(Self.fit)
    let first = try tool.read("mlm-model/README.md")
    try tool.succeed(Self.fit + ["--overwrite", "--seed", "5"])
    #expect(try tool.read("mlm-model/README.md") != first)
    try tool.write("mine", to: "mlm-model/README.md")
    for seed in ["6", "7"] {
      let result = try tool.succeed(Self.fit + ["--overwrite", "--seed", seed])
      #expect(result.messages.contains("README.md was not written by mlm and is kept"))
      #expect(try tool.read("mlm-model/README.md") == Data("mine".utf8))
      #expect(String(decoding: try tool.read("mlm-model/MODEL_CARD.md"), as: UTF8.self).contains("--seed \(seed)"))
    }
  }
}
