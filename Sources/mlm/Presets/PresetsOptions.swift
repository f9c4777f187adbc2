import CommandLine
import Model

/// The options of `mlm presets`.
struct PresetsOptions: Sendable, Equatable {
  enum Format: String, Sendable, CaseIterable { case text, json }
  enum Action: Sendable, Equatable {
    case list(Format)
    /// Names, or `hf://…`; at least one.
    case download([String])
    /// Names, `hf://…` or directories; at least one.
    case verify([String], Precision?)
    /// A name, `hf://…` or a directory.
    case export(String, to: String, weights: DistilBertMaskedLM.WeightsType, overwrites: Bool)
  }

  var action: Action
  var offline: Bool
  var quiet: Bool
}

extension PresetsOptions {
  static let format = Option<Format>.choice(
    "format", "NAME", default: .text, in: .output, help: "text or json",
    details: "The format of the list. text: a table. json: the same for scripts.")
  static let download = Option<Bool>.flag(
    "download", in: .model, excludes: [action, listing], help: "download NAMEs, print their directories",
    details: """
      Download the missing files of each NAME, a preset or hf://OWNER/NAME[@REVISION], into the hub's cache, and print \
      its directory, one per line. A branch is updated to its newest commit.
      """,
    foreignNames: ["fetch", "pull"])
  static let verify = Option<Bool>.flag(
    "verify", in: .model, excludes: [action, listing], help: "check files and predictions of NAMEs",
    details: """
      Check each NAME, a preset, hf://OWNER/NAME[@REVISION] or a directory: the files against the hashes in the \
      registry and in the cache, the number of parameters, and predictions against published ones. Prints one line per \
      check: ok, differs (with both values), or - if there is nothing to compare with. Nothing is downloaded. With \
      --precision, predictions are computed in it and compared with its own tolerances.
      """,
    foreignNames: ["check", "validate"])

  static let export = Option<String?>.text(
    "export", "DIR", kind: .directory, in: .output, excludes: [action, listing],
    help: "write NAME as a model directory",
    details: """
      Write NAME, a preset, hf://OWNER/NAME[@REVISION] or a directory, as a model directory in Hugging Face's layout, \
      for instance the built-in preset for other tools, or a KerasHub preset for transformers. The directory appears \
      complete or not at all.
      """,
    foreignNames: ["output", "save", "convert"])
  static let overwrite = Option<Bool>.flag(
    "overwrite", in: .output, help: "replace an existing model directory",
    details: "With --export: replace an existing model directory.", foreignNames: ["force"])
  static let weights = Option<DistilBertMaskedLM.WeightsType>.choice(
    "weights", "TYPE", default: .float32, in: .output, help: "number format of exported weights",
    details: """
      With --export: the number format of the weights. float16 (11 significant bits) and bfloat16 (8) halve the size. \
      int8: the encoder's matrices as 8-bit integers with a scale per output row, embeddings and the head's matrices in \
      bfloat16, a third of the size; in the layout of the package compressed-tensors, which transformers also loads. \
      predict and evaluate compute in int8 from such a directory, as with --precision int8; fit refuses it. From a \
      directory in int8, int8 copies the integers, and the other formats restore no lost precision.
      """,
    foreignNames: ["dtype", "torch-dtype", "quantize"])
  static let float16 = Option<Bool>.flag(
    "float16", in: .output, excludes: [Exclusion(of: ["weights"], because: "both choose the number format")],
    help: "same as --weights float16", details: "With --export: the same as --weights float16.",
    foreignNames: ["half", "fp16"])

  private static let action = Exclusion(
    of: ["download", "verify", "export"], because: "each prints its own results", hint: "run one after the other")
  private static let listing = Exclusion(of: ["format"], because: "--format is for the list")

  static let declaration = CommandDeclaration(
    name: "presets", summary: "list, download, verify and export presets", operands: .entries(.presets),
    options: [
      download.declaration, verify.declaration, PrecisionOptions.precisionOfPresets.declaration, format.declaration,
      export.declaration, overwrite.declaration, weights.declaration, float16.declaration,
      CommonOptions.offline.declaration,
      CommonOptions.quiet.declaration, CommandDeclaration.help.declaration,
    ],
    description: [
      """
      Lists the presets, which are the models that --preset knows by name, with their parameters, languages and size, \
      and whether they are in the hub's cache. The other commands download missing files; --download does so in advance.
      """,
      """
      MLM_PRESETS names a file of additional presets, in the format of the program's presets.json: \
      {"presets": [{"name": "NAME", "repository": "OWNER/NAME", "revision": "main"}]}, with "directory" instead of \
      "repository" for a local model. Sizes, hashes and published predictions are optional. A preset in the file \
      replaces a built-in one with the same name.
      """,
    ],
    examples: [
      .init(command: "mlm presets", meaning: "list the presets"),
      .init(command: "mlm presets --format json", meaning: "list them for a script"),
      .init(
        command: "mlm presets --download distil_bert_base_multi", meaning: "download a model for offline use"
      ),
      .init(
        command: "mlm presets --verify distil_bert_base_en_uncased", meaning: "check a downloaded model"),
      .init(
        command: "mlm presets --export tiny distil_bert_tiny_en_uncased",
        meaning: "export the built-in model for transformers"),
      .init(
        command: "mlm presets --export base-int8 distil_bert_base_en_uncased --weights int8",
        meaning: "export a model that predicts faster"),
    ],
    environment: CommonOptions.computingEnvironment.filter { $0.name != "MLM_PRESET" && !$0.name.contains("THREADS") })

  init(_ arguments: ParsedArguments) throws(UsageError) {
    try arguments.checkExclusions()
    offline = try arguments.value(of: CommonOptions.offline)
    quiet = try arguments.value(of: CommonOptions.quiet)
    let format = try arguments.value(of: Self.format)
    let actions = [Self.download.declaration, Self.verify.declaration, Self.export.declaration]
    let asked = actions.filter { action in arguments.given.contains { $0.option.name == action.name } }
    let names = arguments.operands.map(\.path)
    if arguments.has(PrecisionOptions.precisionOfPresets), asked.first?.name != Self.verify.declaration.name {
      throw UsageError("--precision needs --verify")
    }
    guard let option = asked.first else {
      if let name = names.first {
        throw UsageError(
          "'\(name)' needs --download, --verify or --export",
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
      guard names.count == 1 else { throw UsageError("--export takes one NAME", hint: "run it once per NAME") }
      action = .export(
        names[0], to: directory,
        weights: try arguments.value(of: Self.float16) ? .float16 : try arguments.value(of: Self.weights),
        overwrites: try arguments.value(of: Self.overwrite))
      return
    }
    try Self.refuseExportOptions(arguments)
    let precision = try arguments.value(of: PrecisionOptions.precisionOfPresets)
    action = option.name == Self.download.declaration.name ? .download(names) : .verify(names, precision)
  }

  private static func refuseExportOptions(_ arguments: ParsedArguments) throws(UsageError) {
    let declarations = [overwrite.declaration, weights.declaration, float16.declaration]
    if let option = declarations.first(where: { option in arguments.given.contains { $0.option.name == option.name } })
    {
      throw UsageError("\(option.spelling) needs --export")
    }
  }
}
