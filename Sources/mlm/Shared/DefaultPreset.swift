/// Which model a command takes when `--preset` does not say (CONTRACT, "Without `--preset`").
struct DefaultPreset: Sendable, Equatable {
  /// What to load: a name, a directory or `hf://…`.
  let preset: String
  /// The line that says which was taken; nil where the user said it.
  let notice: String?

  /// What `fit` writes by default.
  static let outputDirectory = "./mlm-model"

  /// What a command takes of the preset.
  enum Use: String, Sendable {
    case model = "the model is"
    case architectureAndVocabulary = "with random weights, the architecture and the vocabulary are those of"
    case architecture = "with random weights, the architecture is that of"
  }

  /// - Parameters:
  ///   - given: the value of `--preset`.
  ///   - embedded: the preset inside the program.
  static func choose(
    for command: Command, given: String?, use: Use = .model, environment: (String) -> String?,
    isModelDirectory: (String) -> Bool, embedded: String
  ) -> DefaultPreset {
    if let given { return DefaultPreset(preset: given, notice: nil) }
    if let variable = environment("MLM_PRESET"), !variable.isEmpty {
      return DefaultPreset(preset: variable, notice: "\(use.rawValue) \(variable), from MLM_PRESET")
    }
    if command != .fit, isModelDirectory(outputDirectory) {
      return DefaultPreset(
        preset: outputDirectory, notice: "\(use.rawValue) \(outputDirectory), what fit wrote here")
    }
    return DefaultPreset(
      preset: embedded,
      notice: "\(use.rawValue) \(embedded), a tiny one inside the program; "
        + "for a \(use == .model ? "better" : "larger") one: --preset distil_bert_base_en_uncased"
    )
  }
}
