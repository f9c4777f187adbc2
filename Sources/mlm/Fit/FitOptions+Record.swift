import CommandLine
import Model
import Tensor
import Text

/// The records of a run, derived from the table of options: `training.json`, which `--config` reads, and the key that a
/// resumed run must share with its checkpoint.
extension FitOptions {
  /// An option that a resumed run must share.
  struct KeyEntry: Sendable {
    let option: OptionDeclaration
    let value: String
    /// The value that a checkpoint without this option was made with.
    let before: String?
  }

  /// The options that change the result of a training, each with its value as text. A training is resumed only if all
  /// are the same. The FILEs are compared by content; --learning-rate, the length, --early-stopping and --threads have
  /// separate rules.
  ///
  /// - Parameter preset: the preset that the training began with.
  func reproducibilityKey(preset: String) -> [KeyEntry] {
    var run = self
    run.common.preset = preset
    return Self.fields.compactMap { field in
      field.key(run).map { KeyEntry(option: field.declaration, value: $0, before: field.keyBefore) }
    }
  }

  /// The options of the run in the order of help, including defaults; null if the model decides or the option is off.
  /// Excludes output paths and the options that control reporting.
  ///
  /// - Parameters:
  ///   - preset: the preset that the training began with.
  ///   - threads: the number of threads used.
  func recorded(preset: String, threads: Int) -> [(key: String, value: JSONValue)] {
    var run = self
    (run.common.preset, run.common.threads) = (preset, threads)
    // Preprocessed samples make these options invalid.
    let excluded = common.preprocessed ? CommonOptions.preprocessed.declaration.excludes.flatMap(\.names) : []
    return Self.fields.compactMap { field in
      guard let value = field.record(run) else { return nil }
      let isRefused = !value.isNull && excluded.contains(field.declaration.name)
      return isRefused ? nil : (field.declaration.name, value)
    }
  }

  /// The bytes of training.json.
  ///
  /// - Parameter data: the fingerprints of the texts.
  func trainingFile(preset: String, threads: Int, data: JSONValue) -> [UInt8] {
    JSONValue.object([
      (
        "versions",
        .object([("mlm", .string(CommandLineTool.version)), ("openblas", .string(MatrixLibrary.version))])
      ),
      ("files", .array(files.map { .string($0) })),
      ("options", .object(recorded(preset: preset, threads: threads))),
      ("data", data),
    ]).serialized(.indented(2), endingInNewline: true, withPaths: true)
  }

  var rateDependsOnLength: Bool {
    if case .ratio = warmup { return true }
    return schedule != .constant
  }

  /// The options that set the length of the training.
  var lengthText: String {
    [epochs.map { "--epochs \($0)" }, maximumSteps.map { "--max-steps \($0)" }].compactMap { $0 }.joined(separator: " ")
  }
}
