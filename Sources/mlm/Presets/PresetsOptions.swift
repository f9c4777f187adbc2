import CommandLine

/// What `mlm presets` was asked to do.
struct PresetsOptions: Sendable, Equatable {
  enum Format: String, Sendable, CaseIterable { case text, json }
  enum Action: Sendable, Equatable {
    case list(Format)
    /// Names, or `hf://…`; at least one.
    case download([String])
    /// Names, `hf://…` or directories; at least one.
    case verify([String])
    /// A name, `hf://…` or a directory.
    case export(String, to: String, isHalf: Bool, overwrites: Bool)
  }

  var action: Action
  var offline: Bool
  var quiet: Bool
}

extension PresetsOptions {
  static let format = Option<Format>.choice(
    "format", "NAME", default: .text, in: .output, help: "text or json",
    details: "Of the list. text: a table for people. json: the same for scripts.")
  static let download = Option<Bool>.flag(
    "download", in: .model, excludes: [action, listing], help: "fetch NAMEs, print their directories",
    details: """
      Fetch what is missing of each NAME, a preset or hf://OWNER/NAME[@REVISION], into the hub's cache, and print the \
      directory it is in, one a line. A branch is brought up to date.
      """,
    foreignNames: ["fetch", "pull"])
  static let verify = Option<Bool>.flag(
    "verify", in: .model, excludes: [action, listing], help: "check files and predictions of NAMEs",
    details: """
      Check each NAME, a preset, hf://OWNER/NAME[@REVISION] or a directory: its files against the hashes in the \
      registry and in the cache, the number of its parameters, and what it predicts against published figures. A line \
      per check: ok, differs (with both figures), or - where there is nothing to compare with. Nothing is fetched.
      """,
    foreignNames: ["check", "validate"])

  static let export = Option<String?>.text(
    "export", "DIR", kind: .directory, in: .output, excludes: [action, listing],
    help: "write NAME as a model directory",
    details: """
      Write NAME, a preset, hf://OWNER/NAME[@REVISION] or a directory, as a model directory of Hugging Face's layout: \
      what is part of the program for other tools, a KerasHub preset for transformers. It appears whole or not at all.
      """,
    foreignNames: ["output", "save", "convert"])
  static let overwrite = Option<Bool>.flag(
    "overwrite", in: .output, help: "replace a model directory that is there",
    details: "With --export: replace a model directory that is there.", foreignNames: ["force"])
  static let float16 = Option<Bool>.flag(
    "float16", in: .output, help: "export at half the size",
    details: "With --export: write weights as 16-bit floats, which keep 11 significant bits.",
    foreignNames: ["half", "fp16"])

  private static let action = Exclusion(
    of: ["download", "verify", "export"], because: "each prints results of its own", hint: "run one after the other")
  private static let listing = Exclusion(of: ["format"], because: "it is the format of the list")

  static let declaration = CommandDeclaration(
    name: "presets", summary: "list, download, verify and export presets", operands: .entries(.presets),
    options: [
      download.declaration, verify.declaration, format.declaration, export.declaration,
      overwrite.declaration, float16.declaration, CommonOptions.offline.declaration,
      CommonOptions.quiet.declaration, CommandDeclaration.help.declaration,
    ],
    description: [
      """
      Lists the models that --preset knows by name: parameters, languages, size, and whether they are in the hub's \
      cache. The other commands fetch what they need; --download does it beforehand.
      """,
      """
      MLM_PRESETS names a file of further presets, in the format of the program's own presets.json: \
      {"presets": [{"name": "NAME", "repository": "OWNER/NAME", "revision": "main"}]}, or "directory" for \
      "repository"; sizes, hashes and published figures may be added. A name that exists is replaced.
      """,
    ],
    examples: [
      .init(command: "mlm presets", meaning: "what there is"),
      .init(command: "mlm presets --format json", meaning: "the same for a script"),
      .init(
        command: "mlm presets --download distil_bert_base_multi", meaning: "fetch a model for a machine without network"
      ),
      .init(
        command: "mlm presets --verify distil_bert_base_en_uncased", meaning: "is it what it should be?"),
      .init(
        command: "mlm presets --export tiny distil_bert_tiny_en_uncased",
        meaning: "the model inside the program, for transformers"),
    ],
    environment: CommonOptions.environment.filter { $0.name != "MLM_PRESET" && !$0.name.contains("THREADS") })

  init(_ arguments: ParsedArguments) throws(UsageError) {
    try arguments.checkExclusions()
    offline = try arguments.value(of: CommonOptions.offline)
    quiet = try arguments.value(of: CommonOptions.quiet)
    let format = try arguments.value(of: Self.format)
    let actions = [Self.download.declaration, Self.verify.declaration, Self.export.declaration]
    let asked = actions.filter { action in arguments.given.contains { $0.option.name == action.name } }
    let names = arguments.operands.map(\.path)
    guard let option = asked.first else {
      if let name = names.first {
        throw UsageError(
          "'\(name)' was given, but not what to do with it",
          hint: "mlm presets --download \(name), --verify \(name) or --export DIR \(name)")
      }
      try Self.refuseExportOptions(arguments)
      action = .list(format)
      return
    }
    guard !names.isEmpty, !names.contains("") else {
      throw UsageError("\(option.spelling) needs the NAME of a preset", hint: "'mlm presets' lists them")
    }
    if let directory = try arguments.value(of: Self.export) {
      guard names.count == 1 else { throw UsageError("--export takes one NAME", hint: "run it once for each") }
      action = .export(
        names[0], to: directory, isHalf: try arguments.value(of: Self.float16),
        overwrites: try arguments.value(of: Self.overwrite))
      return
    }
    try Self.refuseExportOptions(arguments)
    action = option.name == Self.download.declaration.name ? .download(names) : .verify(names)
  }

  private static func refuseExportOptions(_ arguments: ParsedArguments) throws(UsageError) {
    for option in [overwrite, float16] where arguments.has(option) {
      throw UsageError("\(option.declaration.spelling) is for --export")
    }
  }
}
