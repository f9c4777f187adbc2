/// What `mlm presets` was asked to do.
struct PresetsOptions: Sendable, Equatable {
  enum Format: String, Sendable, CaseIterable { case text, json }

  var format: Format
  var offline: Bool
  var quiet: Bool
}

extension PresetsOptions {
  static let format = Option<Format>.choice(
    "format", "NAME", default: .text, in: .output, help: "text or json",
    details: "text: a table for people. json: the same for scripts.")
  static let download = Option<Bool>.flag(
    "download", in: .output, help: "fetch presets and print their directories", availability: .later)
  static let verify = Option<Bool>.flag(
    "verify", in: .output, help: "check files and predictions", availability: .later)

  static let declaration = CommandDeclaration(
    name: "presets", summary: "list the presets", operands: .none,
    options: [
      format.declaration, download.declaration, verify.declaration, CommonOptions.offline.declaration,
      CommonOptions.quiet.declaration, CommandDeclaration.help.declaration,
    ],
    description: [
      """
      Lists the models that --preset knows by name: parameters, languages, size, and whether they are in the cache.
      """
    ],
    examples: [
      .init(command: "mlm presets", meaning: "what there is"),
      .init(command: "mlm presets --format json", meaning: "the same for a script"),
    ],
    environment: CommonOptions.environment.filter { $0.name.hasPrefix("HF_") })

  init(_ arguments: ParsedArguments) throws(UsageError) {
    format = try arguments.value(of: Self.format)
    offline = try arguments.value(of: CommonOptions.offline)
    quiet = try arguments.value(of: CommonOptions.quiet)
    try arguments.refuseOperands()
  }
}
