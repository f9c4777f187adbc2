import CommandLine

/// What `mlm info` was asked to do.
struct InfoOptions: Sendable, Equatable {
  enum Format: String, Sendable, CaseIterable { case text, json }

  var preset: String?
  var format: Format
  var offline: Bool
  var quiet: Bool
}

extension InfoOptions {
  static let format = Option<Format>.choice(
    "format", "NAME", default: .text, in: .output, help: "text or json",
    details: "text: for people. json: one object with the same for scripts; sizes in bytes, null for what is not there."
  )

  static let declaration = CommandDeclaration(
    name: "info", summary: "what a model is made of", operands: .none,
    options: [
      CommonOptions.preset.declaration, format.declaration, CommonOptions.offline.declaration,
      CommonOptions.quiet.declaration, CommandDeclaration.help.declaration,
    ],
    description: [
      """
      Shows a model's architecture, its parameters part by part, its vocabulary, where its files are, their sizes and \
      SHA-256 hashes, and the end of its training history where there is one. Weights are neither fetched nor loaded.
      """
    ],
    examples: [
      .init(command: "mlm info", meaning: "the model that predict would take"),
      .init(command: "mlm info --preset my-model/checkpoints/step-500", meaning: "a checkpoint"),
      .init(
        command: "mlm info --preset distil_bert_base_en --format json | jq .parameters.total",
        meaning: "one figure for a script"),
    ],
    environment: CommonOptions.environment.filter { !$0.name.contains("THREADS") })

  init(_ arguments: ParsedArguments) throws(UsageError) {
    preset = try arguments.value(of: CommonOptions.preset)
    format = try arguments.value(of: Self.format)
    offline = try arguments.value(of: CommonOptions.offline)
    quiet = try arguments.value(of: CommonOptions.quiet)
    if let operand = arguments.operands.first?.text {
      throw UsageError("unexpected argument '\(operand)'", hint: "mlm info --preset \(ShellText.quoted(operand))")
    }
  }
}
