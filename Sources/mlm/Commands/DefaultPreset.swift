/// Which model a command takes when `--preset` does not say (CONTRACT, "Without `--preset`").
struct DefaultPreset: Sendable, Equatable {
  /// What to load: a name, a directory or `hf://…`.
  let preset: String
  /// The line that says which was taken; nil where the user said it.
  let notice: String?

  /// What `fit` writes by default.
  static let outputDirectory = "./mlm-model"

  /// - Parameters:
  ///   - given: the value of `--preset`.
  ///   - embedded: the preset inside the program.
  static func choose(
    for command: Command, given: String?, environment: (String) -> String?,
    isModelDirectory: (String) -> Bool, embedded: String
  ) -> DefaultPreset {
    if let given { return DefaultPreset(preset: given, notice: nil) }
    if let variable = environment("MLM_PRESET"), !variable.isEmpty {
      return DefaultPreset(preset: variable, notice: "the model is \(variable), from MLM_PRESET")
    }
    if command != .fit, isModelDirectory(outputDirectory) {
      return DefaultPreset(preset: outputDirectory, notice: "the model is \(outputDirectory), what fit wrote here")
    }
    return DefaultPreset(
      preset: embedded,
      notice: "the model is \(embedded), a tiny one inside the program; "
        + "for a better one: --preset distil_bert_base_en_uncased"
    )
  }
}
