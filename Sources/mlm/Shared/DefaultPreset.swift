/// The model that a command uses without `--preset` (CONTRACT, "Without `--preset`").
struct DefaultPreset: Sendable, Equatable {
  /// A name, a directory or `hf://…`.
  let preset: String
  /// The note that names the model; nil if the user named it.
  let notice: String?

  /// The directory that `fit` writes by default.
  static let outputDirectory = "./mlm-model"

  /// The part of the preset that a command uses. The raw value begins the note.
  enum Use: String, Sendable {
    case model = "the model is"
    case architectureAndVocabulary = "random weights, with the architecture and vocabulary of"
    case architecture = "random weights, with the architecture of"
  }

  /// - Parameters:
  ///   - given: the value of `--preset`.
  ///   - embedded: the built-in preset.
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
        preset: outputDirectory, notice: "\(use.rawValue) \(outputDirectory), written by fit")
    }
    return DefaultPreset(
      preset: embedded,
      notice: "\(use.rawValue) \(embedded), which is tiny and built in; "
        + "for a \(use == .model ? "better" : "larger") one, use --preset distil_bert_base_en_uncased"
    )
  }
}
