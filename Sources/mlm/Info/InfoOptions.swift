import CommandLine
import Model

/// The options of `mlm info`.
struct InfoOptions: Sendable, Equatable {
  enum Format: String, Sendable, CaseIterable { case text, json }

  var preset: String?
  /// nil: $MLM_PRECISION, otherwise the precision of the model's files.
  var precision: Precision?
  var format: Format
  var offline: Bool
  var quiet: Bool
}

extension InfoOptions {
  static let format = Option<Format>.choice(
    "format", "NAME", default: .text, in: .output, help: "text or json",
    details: "text: a summary. json: one object with the same facts; sizes are in bytes, and missing facts are null."
  )

  static let declaration = CommandDeclaration(
    name: "info", summary: "show a model's architecture, files and history", operands: .none,
    options: [
      CommonOptions.preset.declaration, PrecisionOptions.precision.declaration, format.declaration,
      CommonOptions.offline.declaration,
      CommonOptions.quiet.declaration, CommandDeclaration.help.declaration,
    ],
    description: [
      """
      Shows a model's architecture, the number of parameters of each part, its vocabulary, the location, sizes and \
      SHA-256 hashes of its files, the last rows of its training history, and the number formats and instructions that \
      predict would compute with on this machine. Weights are neither downloaded nor loaded.
      """
    ],
    examples: [
      .init(command: "mlm info", meaning: "the model that predict would use"),
      .init(command: "mlm info --preset my-model/checkpoints/step-500", meaning: "a checkpoint"),
      .init(command: "mlm info --precision int8", meaning: "the instructions that int8 uses on this machine"),
      .init(
        command: "mlm info --preset distil_bert_base_en --format json | jq .parameters.total",
        meaning: "one number for a script"),
    ],
    environment: CommonOptions.computingEnvironment.filter { !$0.name.contains("THREADS") })

  init(_ arguments: ParsedArguments) throws(UsageError) {
    preset = try arguments.value(of: CommonOptions.preset)
    precision = try arguments.value(of: PrecisionOptions.precision)
    format = try arguments.value(of: Self.format)
    offline = try arguments.value(of: CommonOptions.offline)
    quiet = try arguments.value(of: CommonOptions.quiet)
    if let operand = arguments.operands.first?.text {
      throw UsageError("unexpected argument '\(operand)'", hint: "mlm info --preset \(ShellText.quoted(operand))")
    }
  }
}
