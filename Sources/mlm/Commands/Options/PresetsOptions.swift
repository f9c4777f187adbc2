/// What `mlm presets` was asked to do.
struct PresetsOptions: Sendable, Equatable {
  enum Format: String, Sendable, CaseIterable { case text, json }
  enum Action: Sendable, Equatable {
    case list(Format)
    /// Names, or `hf://…`; at least one.
    case download([String])
    /// Names, `hf://…` or directories; at least one.
    case verify([String])
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
    "download", in: .model, help: "fetch NAMEs, print their directories",
    details: """
      Fetch what is missing of each NAME, a preset or hf://OWNER/NAME[@REVISION], into the hub's cache, and print the \
      directory it is in, one a line. A branch is brought up to date.
      """,
    foreignNames: ["fetch", "pull"])
  static let verify = Option<Bool>.flag(
    "verify", in: .model, help: "check files and predictions of NAMEs",
    details: """
      Check each NAME, a preset, hf://OWNER/NAME[@REVISION] or a directory: its files against the hashes in the \
      registry and in the cache, the number of its parameters, and what it predicts against published figures. A line \
      per check: ok, differs (with both figures), or - where there is nothing to compare with. Nothing is fetched.
      """,
    foreignNames: ["check", "validate"])

  static let declaration = CommandDeclaration(
    name: "presets", summary: "list, download and verify presets", operands: .presets,
    options: [
      download.declaration, verify.declaration, format.declaration, CommonOptions.offline.declaration,
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
    ],
    environment: CommonOptions.environment.filter { $0.name != "MLM_PRESET" && !$0.name.contains("THREADS") })

  init(_ arguments: ParsedArguments) throws(UsageError) {
    offline = try arguments.value(of: CommonOptions.offline)
    quiet = try arguments.value(of: CommonOptions.quiet)
    let format = try arguments.value(of: Self.format)
    let (downloads, verifies) = (
      try arguments.value(of: Self.download), try arguments.value(of: Self.verify)
    )
    if downloads, verifies {
      throw .conflict("--download", "--verify", why: "each prints results of its own", hint: "run one after the other")
    }
    guard downloads || verifies else {
      if let name = arguments.operands.first?.text {
        throw UsageError(
          "'\(name)' was given, but not what to do with it", hint: "mlm presets --download \(name), or --verify \(name)"
        )
      }
      action = .list(format)
      return
    }
    let option = (downloads ? Self.download : Self.verify).declaration
    if arguments.has(Self.format) { throw .conflict(option.spelling, "--format", why: "it is the format of the list") }
    let names = arguments.operands.map(\.text)
    guard !names.isEmpty, !names.contains("") else {
      throw UsageError("\(option.spelling) needs the NAME of a preset", hint: "'mlm presets' lists them")
    }
    action = downloads ? .download(names) : .verify(names)
  }
}
