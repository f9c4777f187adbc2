import CommandLine
import Model

/// What `mlm evaluate` was asked to do.
struct EvaluateOptions: Sendable, Equatable {
  enum Format: String, Sendable, CaseIterable { case text, json }

  var common: CommonOptions
  var samples: SampleOptions
  /// At least one; `-` is standard input.
  var files: [String]
  var batchSize: Int
  var format: Format
  /// nil: no pseudo-perplexity.
  var pseudoPerplexity: PseudoLikelihood.Variant?
  var printsSamples: Bool
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
    "pseudo-perplexity", in: .output, help: "mask every token in its turn too",
    details: """
      Also score every token of a sample with itself masked (Salazar et al. 2020), whatever the other masks are: adds \
      pseudo_log_likelihood, the sum of the tokens' log-probabilities in nats, and pseudo_perplexity, exp of its \
      negative per token. [CLS] and [SEP] are not scored. A sample of n tokens takes n times as long.
      """,
    foreignNames: ["pll", "pseudo-log-likelihood", "ppl"])
  static let pseudoVariant = Option<PseudoLikelihood.Variant>.choice(
    "pseudo-variant", "HOW", default: .original, in: .output, help: "or within-word-l2r",
    details: """
      What is hidden besides the token that is scored; implies --pseudo-perplexity. original: nothing. \
      within-word-l2r: the pieces of its word to the right of it as well (Kauf & Ivanova 2023), which does not \
      overrate long words.
      """,
    foreignNames: ["pseudo-perplexity-variant", "pll-metric", "pll-variant"])
  static let perSample = Option<Bool>.flag(
    "per-sample", in: .output,
    excludes: [Exclusion(of: ["format"], otherValue: "text", because: "samples are printed as JSON")],
    help: "one JSON object per sample",
    details: """
      Print one JSON object per sample, as it is computed, instead of the figures of all, which go to standard error \
      then: sample (counted from 0), file and line, and the keys of --format json but for samples. What a sample has \
      no token for is null.
      """,
    foreignNames: ["per-line", "per-sentence", "per-example"])

  static let declaration = CommandDeclaration(
    name: "evaluate", summary: "loss, accuracy and perplexity of text", operands: .files,
    options: CommonOptions.modelDeclarations
      + SampleOptions.inputDeclarations + CommonOptions.inputDeclarations
      + [
        format.declaration, pseudoPerplexity.declaration, pseudoVariant.declaration, perSample.declaration,
      ]
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
      .init(
        command: "mlm evaluate --per-sample --pseudo-perplexity sentences.txt",
        meaning: "how likely the model finds each line"),
    ],
    environment: CommonOptions.environment)

  init(_ arguments: ParsedArguments) throws(UsageError) {
    try arguments.checkExclusions()
    common = try CommonOptions(arguments)
    samples = try SampleOptions(arguments)
    format = try arguments.value(of: Self.format)
    batchSize = try arguments.value(of: Self.batchSize)
    let scoresTokens = try arguments.value(of: Self.pseudoPerplexity) || arguments.has(Self.pseudoVariant)
    pseudoPerplexity = scoresTokens ? try arguments.value(of: Self.pseudoVariant) : nil
    printsSamples = try arguments.value(of: Self.perSample)
    files = try arguments.files()
  }
}
