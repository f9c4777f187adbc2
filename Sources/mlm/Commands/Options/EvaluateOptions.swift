/// What `mlm evaluate` was asked to do.
struct EvaluateOptions: Sendable, Equatable {
  enum Format: String, Sendable, CaseIterable { case text, json }

  var common: CommonOptions
  var samples: SampleOptions
  /// At least one; `-` is standard input.
  var files: [String]
  var batchSize: Int
  var format: Format
}

extension EvaluateOptions {
  static let format = Option<Format>.choice(
    "format", "NAME", default: .text, in: .output, help: "text or json",
    details: """
      text: a line per figure. json: one object with the keys loss, accuracy, perplexity, masked_tokens, tokens and \
      samples.
      """)
  static let batchSize = Option<Int>.integer(
    "batch-size", default: 32, in: .general, help: "accepted; has no effect",
    details: "Accepted, as fit has it. Evaluation makes its own batches, and the figures do not depend on them.",
    foreignNames: ["per-device-eval-batch-size", "eval-batch-size"])
  static let pseudoPerplexity = Option<Bool>.flag(
    "pseudo-perplexity", in: .output, help: "mask every token in its turn", foreignNames: ["pll"], availability: .later)
  static let perSample = Option<Bool>.flag(
    "per-sample", in: .output, help: "one JSON object per sample", availability: .later)

  static let declaration = CommandDeclaration(
    name: "evaluate", summary: "loss, accuracy and perplexity of text", operands: .files,
    options: CommonOptions.modelDeclarations
      + SampleOptions.inputDeclarations + CommonOptions.inputDeclarations
      + [format.declaration, pseudoPerplexity.declaration, perSample.declaration]
      + SampleOptions.maskingDeclarations
      + [batchSize.declaration] + CommonOptions.generalDeclarations,
    description: [
      """
      Hides tokens of the text as fit does and prints how well the model predicts them: loss (mean cross-entropy over \
      the masked tokens), accuracy, perplexity (exp of the loss), and the numbers of masked tokens, tokens and samples.
      """,
      """
      Masks depend on --seed and on a sample's own place in the corpus alone, so the figures do not depend on batch \
      size or threads. The perplexity is per masked token; it is not that of a left-to-right model.
      """,
    ],
    examples: [
      .init(command: "mlm evaluate held-out.txt", meaning: "the model that fit has just written"),
      .init(
        command: "mlm evaluate --preset distil_bert_base_en_uncased --format json held-out.txt",
        meaning: "a published model, for a script"),
    ],
    environment: CommonOptions.environment)

  init(_ arguments: ParsedArguments) throws(UsageError) {
    common = try CommonOptions(arguments)
    samples = try SampleOptions(arguments)
    format = try arguments.value(of: Self.format)
    batchSize = try arguments.value(of: Self.batchSize)
    files = try arguments.files()
  }
}
