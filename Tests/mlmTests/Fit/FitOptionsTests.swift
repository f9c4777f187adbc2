import CommandLine
import Model
import Testing
import Text

@testable import mlm

/// Tests over the table of fit's options: repeating and resuming a run treat each option according to its role.
@Suite struct FitOptionsTests {
  static let declared = FitOptions.declaration.options.filter { $0.name != "help" }

  @Test func everyOptionHasARole() {
    for option in FitOptions.declaration.options { #expect(option.role != nil, "\(option.name)") }
    #expect(FitOptions.fields.map(\.declaration.name) == Self.declared.map(\.name))
  }

  /// training.json contains all options except paths and those of a single call.
  @Test func rolesSayWhatIsRecorded() throws {
    let recorded = Set(try options([]).recorded(preset: "", threads: 1).map(\.key))
    // Only one of the warm-up options is recorded; --freeze includes --freeze-backbone.
    let byOthers: Set<String> = ["warmup-ratio", "freeze-backbone"]
    for option in Self.declared where !byOthers.contains(option.name) {
      #expect(recorded.contains(option.name) == (option.role?.isRecorded == true), "\(option.name)")
    }
  }

  @Test func exclusionsNameOptions() {
    let names = Set(Command.declarations.flatMap(\.options).map(\.name))
    for (command, option) in DeclarationTests.all {
      for exclusion in option.excludes {
        #expect(names.isSuperset(of: exclusion.names), "\(command) \(option.name)")
      }
    }
  }

  /// A resumed run refuses another value of an option that changes the arithmetic, but not of one that only affects
  /// output.
  @Test(arguments: declared)
  func resume(_ option: OptionDeclaration) throws {
    let (value, needed) = Self.other(than: option)
    let base = (option.name == "overwrite" ? [] : ["--resume"]) + needed
    let (before, after) = (try options(base), try options(base + value))
    let isDifferent = try refused(after, before) { _ in false }
    switch option.role {
    case .arithmetic: #expect(isDifferent != nil && after != before)
    case .output, .place, .session: #expect(isDifferent == nil)
    // Another name is refused if the model differs.
    case .content where option.name == "preset":
      #expect(try isDifferent != nil && refused(after, before) { _ in true } == nil)
    case .content: #expect(after != before)
    case .ruled: #expect((isDifferent != nil) == (option.name == "learning-rate"))
    case nil: Issue.record("no role")
    }
  }

  @Test func arithmeticOfOlderCheckpoints() throws {
    let before = try options([])
    let names = ["mask-unknown", "keep-special-ids", "special-tokens-in-text"]
    let old = before.reproducibilityKey(preset: "p").filter { !names.contains($0.option.name) }
    func check(_ arguments: [String]) throws -> ResumeError? {
      try refused(options(arguments), past: Self.record(old)) { _ in false }
    }
    // Older checkpoints masked [UNK].
    #expect(try check([]) == .optionChanged("mask-unknown", then: "on", now: "off"))
    #expect(try check(["--mask-unknown"]) == nil)
    #expect(
      try check(["--mask-unknown", "--special-tokens-in-text"])
        == .optionChanged("special-tokens-in-text", then: "off", now: "on"))
  }

  /// The keys and values in checkpoints.
  @Test func key() throws {
    func key(_ arguments: [String]) throws -> [String: String] {
      Dictionary(
        uniqueKeysWithValues: try options(arguments).reproducibilityKey(preset: "p").map { ($0.option.name, $0.value) })
    }
    #expect(
      try key([]) == [
        "preset": "p", "no-load-weights": "off", "seed": "0", "sequence-length": "the model's", "preprocessed": "off",
        "samples": "lines", "truncate": "off", "pairs": "off", "special-tokens-in-text": "off", "batch-size": "32",
        "gradient-accumulation": "1", "loss-reduction": "masked-mean", "dropout": "the model's", "freeze": "nothing",
        "no-shuffle": "off", "optimizer": "adam", "weight-decay": "0.0", "beta1": "0.9", "beta2": "0.999",
        "epsilon": "1e-07", "schedule": "constant", "warmup-steps": "0", "clip-norm": "off",
        "mask-selection-rate": "0.15", "mask-selection-length": "96", "mask-token-rate": "0.8",
        "random-token-rate": "0.1", "mask-sampling": "exact", "whole-word-masking": "off", "mask-unknown": "off",
        "validation-split": "none", "learn-vocabulary": "off", "vocabulary": "the preset's", "cased": "as the preset",
        "min-frequency": "2", "keep-special-ids": "off", "layers": "the preset's", "hidden-dim": "the preset's",
        "heads": "the preset's", "intermediate-dim": "the preset's",
      ])
    let other = try key([
      "--warmup-ratio", "0.06", "--dropout", "0.1", "--clip-norm", "1", "--freeze", "layers:0-1", "--freeze-backbone",
      "--optimizer", "adamw", "--learn-vocabulary", "500", "--lowercase", "--validation-split", "0.2", "--hidden-dim",
      "8",
    ])
    let expected = [
      "warmup-ratio": "0.06", "dropout": "0.1", "clip-norm": "1.0", "freeze": "layers:0-1,backbone",
      "weight-decay": "0.01", "learn-vocabulary": "500", "vocabulary": "learned", "cased": "off",
      "validation-split": "0.2", "intermediate-dim": "32",
    ]
    for (name, value) in expected { #expect(other[name] == value, "\(name)") }
    #expect(other["warmup-steps"] == nil)
  }

  // MARK: Support

  private func options(_ arguments: [String]) throws -> FitOptions {
    try FitOptions(Parser.parse((arguments + ["a"]).map { Argument($0) }, for: FitOptions.declaration))
  }

  private static func record(_ key: [FitOptions.KeyEntry], rate: String = "5e-05") -> JSONValue {
    .object([
      ("options", .object(key.map { ($0.option.name, .string($0.value)) })), ("learning_rate", .string(rate)),
      ("model", .string("fingerprint")),
    ])
  }

  private func refused(
    _ after: FitOptions, _ before: FitOptions, isSameModel: (String) -> Bool
  ) throws -> ResumeError? {
    let past = Self.record(before.reproducibilityKey(preset: before.common.preset ?? "p"))
    return try refused(after, past: past, isSameModel: isSameModel)
  }

  private func refused(
    _ after: FitOptions, past: JSONValue, isSameModel: (String) -> Bool
  ) throws -> ResumeError? {
    do {
      try FitRecord.check(after, preset: after.common.preset ?? "p", against: past, isSameModel: isSameModel)
      return nil
    } catch let error as ResumeError {
      return error
    }
  }

  /// Arguments that give an option a value other than its default, and the arguments that it requires.
  private static func other(than option: OptionDeclaration) -> (value: [String], needed: [String]) {
    let value: String? =
      switch option.kind {
      case nil: nil
      case .integer(let range): String(max(range.lowerBound, 7))
      case .seed: "7"
      case .number: "0.0625"
      case .choice(let names): names.last { $0 != option.defaultText }
      case .words: "head"
      case .text, .file, .directory, .entry: "other"
      }
    let needed: [String] =
      switch option.name {
      case "min-frequency", "keep-special-ids", "lowercase", "cased": ["--learn-vocabulary", "500"]
      case "early-stopping": ["--validation-split", "0.25"]
      default: []
      }
    return ([option.spelling] + [value].compactMap { $0 }, needed)
  }
}
