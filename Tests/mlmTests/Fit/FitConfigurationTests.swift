import CommandLine
import Model
import Testing

@testable import mlm

/// A run's training.json reproduces its options.
@Suite struct FitConfigurationTests {
  private let tool: Tool
  init() throws { tool = try Tool() }

  private func options(_ line: String) throws -> FitOptions {
    try FitOptions(
      Parser.parse(line.split(separator: " ").map { Argument(String($0)) }, for: FitOptions.declaration))
  }

  @Test(arguments: [
    "a.txt", "a.txt b.txt --epochs 3 --max-steps 10 --batch-size 4 --gradient-accumulation 2 --no-shuffle",
    "a --seed 18446744073709551615 --learning-rate 0.00031 --beta1 0.85 --beta2 0.95 --epsilon 1e-9 --weight-decay 0.1",
    "a --optimizer adamw --schedule cosine --warmup-steps 5 --clip-norm 1.5 --loss-reduction sum-over-batch-size",
    "a --warmup-ratio 0.06 --dropout 0 --freeze embeddings,layers:0-1,layers:3 --freeze-backbone",
    "a --mask-selection-rate 0.2 --mask-selection-length 9 --mask-token-rate 0.7 --random-token-rate 0.2",
    "a --mask-sampling bernoulli --whole-word-masking --mask-unknown --samples packed --sequence-length 64 --strict",
    "a --pairs --validation b --early-stopping 3 --log-every 7 --checkpoint-every 11 --keep 4",
    "a --truncate --validation-split 0.3", "a --preprocessed --sequence-length 9",
    "a --learn-vocabulary 500 --min-frequency 3 --cased --keep-special-ids --layers 2 --hidden-dim 64 --heads 4",
    "a --vocabulary v.txt --lowercase --intermediate-dim 9", "a --no-load-weights --layers 3 --threads 3",
  ])
  func thereAndBack(_ line: String) throws {
    var before = try options(line)
    before.common.preset = "some/preset"
    before.common.threads = before.common.threads ?? 2
    let bytes = before.trainingFile(preset: "some/preset", threads: before.common.threads ?? 0, data: .object([]))
    try tool.write(bytes, to: "training.json")
    let file = try FitConfiguration(path: tool.path("training.json"))
    let after = try FitOptions(file.completing(Parser.parse([], for: FitOptions.declaration)))
    #expect(after == before)
    #expect(after.trainingFile(preset: "some/preset", threads: after.common.threads ?? 0, data: .object([])) == bytes)
  }

  @Test func preprocessedSamplesRuleOutTheFilesTextOptions() throws {
    try tool.write(try options("a").trainingFile(preset: "p", threads: 1, data: .null), to: "training.json")
    let file = try FitConfiguration(path: tool.path("training.json"))
    let typed = try Parser.parse(["--preprocessed", "b"], for: FitOptions.declaration)
    let both = try FitOptions(file.completing(typed))
    #expect(both.common.preprocessed && both.files == ["b"] && both.common.preset == "p")
  }

  /// A typed option overrides the options in the file that it excludes.
  @Test(arguments: [
    ("--warmup-ratio 0.1", "warmup-steps", "5"), ("--warmup-steps 5", "warmup-ratio", "0.1"),
    ("--epochs 2", "max-steps", "5"), ("--max-steps 5", "epochs", "3"), ("--freeze head", "freeze-backbone", "true"),
    ("--validation-split 0.1", "validation", "\"b\""), ("--vocabulary v", "learn-vocabulary", "500"),
    ("--vocabulary v --cased", "lowercase", "true"), ("--resume", "overwrite", "true"), ("--verbose", "quiet", "true"),
    ("--preprocessed", "mask-selection-rate", "0.2"),
    ("--preprocessed", "special-tokens-in-text", "true"), ("--seed 3", "seed", "4"),
  ])
  func typedOptionsOverride(_ line: String, _ name: String, _ value: String) throws {
    try tool.write("{\"options\": {\"\(name)\": \(value)}}", to: "own.json")
    let file = try FitConfiguration(path: tool.path("own.json"))
    let typed = try Parser.parse(
      (line + " a").split(separator: " ").map { Argument(String($0)) }, for: FitOptions.declaration)
    #expect(file.given.map(\.option.name) == [name])
    #expect(try FitOptions(file.completing(typed)) == FitOptions(typed))
  }
}
