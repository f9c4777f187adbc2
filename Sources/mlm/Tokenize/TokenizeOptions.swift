import CommandLine

/// The options of `mlm tokenize`.
struct TokenizeOptions: Sendable, Equatable {
  enum Format: String, Sendable, CaseIterable { case json, ids, tokens }

  var preset: String?
  var offline: Bool
  var quiet: Bool
  var strict: Bool
  var input: InputChoice
  var format: Format
  var addsSpecialTokens: Bool
  var specialTokensInText: Bool
  var decodes: Bool
}

extension TokenizeOptions {
  static let format = Option<Format>.choice(
    "format", "NAME", default: .json, in: .output, help: "json, ids or tokens",
    details: """
      json: one line per input with token_ids, tokens, and offsets in UTF-8 bytes of the input. ids, tokens: one line \
      per input, separated by spaces.
      """)
  static let addSpecialTokens = Option<Bool>.flag(
    "add-special-tokens", in: .output, help: "add [CLS] and [SEP]",
    details: "Add [CLS] before and [SEP] after each input.")
  static let decode = Option<Bool>.flag(
    "decode", in: .input,
    excludes: [
      Exclusion(
        of: ["format", "add-special-tokens", "special-tokens-in-text"],
        because: "--decode reads ids and prints text")
    ], help: "convert ids to text",
    details: "Convert ids to text. The inputs are ids separated by spaces.", foreignNames: ["detokenize"])

  static let declaration = CommandDeclaration(
    name: "tokenize", summary: "convert text to word pieces and ids", operands: .texts,
    options: [
      CommonOptions.preset.declaration, InputChoice.input.declaration,
      CommonOptions.specialTokensInText.declaration, decode.declaration, CommonOptions.strict.declaration,
      format.declaration, addSpecialTokens.declaration,
      CommonOptions.offline.declaration, CommonOptions.quiet.declaration, CommandDeclaration.help.declaration,
    ],
    description: [
      """
      Splits text into the word pieces of a model's vocabulary. Each TEXT is one input; without a TEXT, each line of \
      --input FILE or of standard input is. Lines are answered in order and immediately.
      """
    ],
    examples: [
      .init(command: "mlm tokenize --format tokens 'Unbelievable!'", meaning: "the pieces of a text"),
      .init(command: "mlm tokenize --format ids --input novel.txt", meaning: "the ids of each line of a file"),
      .init(
        command: "mlm tokenize --format ids 'Hello.' | mlm tokenize --decode", meaning: "convert to ids and back"),
    ],
    environment: CommonOptions.environment.filter { !$0.name.contains("THREADS") })

  init(_ arguments: ParsedArguments) throws(UsageError) {
    try arguments.checkExclusions()
    preset = try arguments.value(of: CommonOptions.preset)
    offline = try arguments.value(of: CommonOptions.offline)
    quiet = try arguments.value(of: CommonOptions.quiet)
    strict = try arguments.value(of: CommonOptions.strict)
    input = try InputChoice(arguments)
    format = try arguments.value(of: Self.format)
    addsSpecialTokens = try arguments.value(of: Self.addSpecialTokens)
    specialTokensInText = try arguments.value(of: CommonOptions.specialTokensInText)
    decodes = try arguments.value(of: Self.decode)
  }
}
