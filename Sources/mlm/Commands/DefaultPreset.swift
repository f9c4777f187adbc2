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
  ///   - needsWeights: whether random weights will not do. False with `--no-load-weights`, and for `tokenize`.
  ///   - embedded: the preset inside the program, and whether its weights are trained.
  ///   - names: the presets to list in the error.
  static func choose(
    for command: Command, given: String?, needsWeights: Bool, environment: (String) -> String?,
    isModelDirectory: (String) -> Bool, embedded: (name: String, isTrained: Bool), names: [String]
  ) throws(UsageError) -> DefaultPreset {
    if let given { return DefaultPreset(preset: given, notice: nil) }
    if let variable = environment("MLM_PRESET"), !variable.isEmpty {
      return DefaultPreset(preset: variable, notice: "the model is \(variable), from MLM_PRESET")
    }
    if command != .fit, isModelDirectory(outputDirectory) {
      return DefaultPreset(preset: outputDirectory, notice: "the model is \(outputDirectory), what fit wrote here")
    }
    if embedded.isTrained || !needsWeights {
      return DefaultPreset(
        preset: embedded.name, notice: "the model is \(embedded.name), the preset inside the program")
    }
    throw UsageError(
      "no model was named, and the preset inside the program (\(embedded.name)) has no trained weights yet",
      hint: "type --preset NAME, with a model directory or one of: \(names.joined(separator: ", "))")
  }
}
