import CommandLine

/// What `mlm tokenize` was asked to do.
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
      json: a line per input with token_ids, tokens, and offsets in UTF-8 bytes of the input. ids or tokens: a line \
      per input, separated by spaces.
      """)
  static let addSpecialTokens = Option<Bool>.flag(
    "add-special-tokens", in: .output, help: "put [CLS] and [SEP] around",
    details: "Put [CLS] and [SEP] around each input.")
  static let decode = Option<Bool>.flag(
    "decode", in: .input,
    excludes: [
      Exclusion(
        of: ["format", "add-special-tokens", "special-tokens-in-text"],
        because: "the inputs are ids and the result is text")
    ], help: "turn lines of ids back into text",
    details: "The inputs are ids, separated by spaces: turn them back into text.", foreignNames: ["detokenize"])

  static let declaration = CommandDeclaration(
    name: "tokenize", summary: "text to word pieces and ids", operands: .texts,
    options: [
      CommonOptions.preset.declaration, InputChoice.input.declaration,
      CommonOptions.specialTokensInText.declaration, decode.declaration, CommonOptions.strict.declaration,
      format.declaration, addSpecialTokens.declaration,
      CommonOptions.offline.declaration, CommonOptions.quiet.declaration, CommandDeclaration.help.declaration,
    ],
    description: [
      """
      Cuts text into the word pieces of a model's vocabulary. Each TEXT is one input; without a TEXT, the lines of \
      --input FILE or of standard input are, answered in order and at once.
      """
    ],
    examples: [
      .init(command: "mlm tokenize --format tokens 'Unbelievable!'", meaning: "the pieces of a text"),
      .init(command: "mlm tokenize --format ids --input novel.txt", meaning: "the ids of each line of a file"),
      .init(
        command: "mlm tokenize --format ids 'Hello.' | mlm tokenize --decode", meaning: "there and back again"),
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
