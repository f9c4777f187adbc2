import CommandLine
import Model

/// The options of `mlm evaluate`.
struct EvaluateOptions: Sendable, Equatable {
  enum Format: String, Sendable, CaseIterable { case text, json }

  var common: CommonOptions
  var computation: PrecisionOptions
  var samples: SampleOptions
  /// At least one; `-` is standard input.
  var files: [String]
  var batchSize: Int
  var format: Format
  /// nil: no pseudo-perplexity.
  var pseudoPerplexity: PseudoLikelihood.Variant?
  var printsSamples: Bool
  /// The precision to compare with; nil: none.
  var reference: Precision?
}

extension EvaluateOptions {
  static let format = Option<Format>.choice(
    "format", "NAME", default: .text, in: .output, help: "text or json",
    details: """
      text: one line per value. json: one object with the keys loss, accuracy, perplexity, masked_tokens, tokens and \
      samples; more with --pseudo-perplexity and --against.
      """)
  static let batchSize = Option<Int>.integer(
    "batch-size", default: 32, in: .general, help: "accepted; has no effect",
    details: "Accepted for compatibility with fit. Results do not depend on it.",
    foreignNames: ["per-device-eval-batch-size", "eval-batch-size"])
  static let pseudoPerplexity = Option<Bool>.flag(
    "pseudo-perplexity", in: .output, help: "also mask each token once",
    details: """
      Also mask each token of a sample once and score it (Salazar et al. 2020). Adds pseudo_log_likelihood, the sum of \
      the tokens' log-probabilities in nats, and pseudo_perplexity, exp of the negative mean. [CLS] and [SEP] are not \
      scored. A sample of n tokens takes n times as long.
      """,
    foreignNames: ["pll", "pseudo-log-likelihood", "ppl"])
  static let pseudoVariant = Option<PseudoLikelihood.Variant>.choice(
    "pseudo-variant", "HOW", default: .original, in: .output, help: "original or within-word-l2r",
    details: """
      The tokens to mask in addition to the scored one; implies --pseudo-perplexity. original: none. within-word-l2r: \
      the later pieces of the same word (Kauf & Ivanova 2023), which does not overrate long words.
      """,
    foreignNames: ["pseudo-perplexity-variant", "pll-metric", "pll-variant"])
  static let perSample = Option<Bool>.flag(
    "per-sample", in: .output,
    excludes: [Exclusion(of: ["format"], otherValue: "text", because: "samples are printed as JSON")],
    help: "one JSON object per sample",
    details: """
      Print one JSON object per sample as soon as it is computed, with sample (counted from 0), file, line, and the \
      keys of --format json except samples. A value that no token contributes to is null. The values of all samples \
      go to standard error.
      """,
    foreignNames: ["per-line", "per-sentence", "per-example"])

  static let against = Option<Precision?>.choice(
    "against", "NAME", in: .output, help: "also compare with float32, bfloat16 or int8",
    details: """
      Also evaluate the model in this precision, on the same masks and in the same pass over the text, and compare. \
      Adds precision and against, the two names; against_loss, against_accuracy and against_perplexity; \
      equal_first_answers, the share of masked tokens for which both give the highest score to the same word piece; \
      and kl_divergence, the mean Kullback-Leibler divergence of the probabilities of --precision from those of \
      --against, in nats. With --pseudo-perplexity, it also adds against_pseudo_log_likelihood and \
      against_pseudo_perplexity.
      """,
    foreignNames: ["compare", "compare-with", "reference", "baseline"], foreignValues: PrecisionOptions.foreignValues)

  static let declaration = CommandDeclaration(
    name: "evaluate", summary: "loss, accuracy and perplexity of text", operands: .files,
    options: CommonOptions.modelDeclarations + [PrecisionOptions.precision.declaration]
      + SampleOptions.inputDeclarations + CommonOptions.inputDeclarations
      + [
        format.declaration, pseudoPerplexity.declaration, pseudoVariant.declaration, perSample.declaration,
        against.declaration,
      ]
      + SampleOptions.maskingDeclarations
      + [batchSize.declaration, PrecisionOptions.verbose.declaration] + CommonOptions.generalDeclarations,
    description: [
      """
      Masks tokens of the text as fit does and measures how well the model predicts them: loss (mean cross-entropy of \
      the masked tokens), accuracy, perplexity (exp of the loss), and the numbers of masked tokens, tokens and samples.
      """,
      """
      Masks depend only on --seed and the index of a sample, so the results do not depend on the batch size or the \
      number of threads. The perplexity is per masked token and not comparable with that of a left-to-right model.
      """,
    ],
    examples: [
      .init(command: "mlm evaluate held-out.txt", meaning: "evaluate the model that fit has just written"),
      .init(
        command: "mlm evaluate --preset distil_bert_base_en_uncased --format json held-out.txt",
        meaning: "evaluate a published model, for a script"),
      .init(
        command: "mlm evaluate --per-sample --pseudo-perplexity sentences.txt",
        meaning: "measure how likely each line is"),
      .init(
        command: "mlm evaluate --precision int8 --against float32 held-out.txt",
        meaning: "measure what int8 changes"),
    ],
    environment: CommonOptions.computingEnvironment)

  init(_ arguments: ParsedArguments) throws(UsageError) {
    try arguments.checkExclusions()
    common = try CommonOptions(arguments)
    computation = try PrecisionOptions(arguments)
    reference = try arguments.value(of: Self.against)
    samples = try SampleOptions(arguments)
    format = try arguments.value(of: Self.format)
    batchSize = try arguments.value(of: Self.batchSize)
    let scoresTokens = try arguments.value(of: Self.pseudoPerplexity) || arguments.has(Self.pseudoVariant)
    pseudoPerplexity = scoresTokens ? try arguments.value(of: Self.pseudoVariant) : nil
    printsSamples = try arguments.value(of: Self.perSample)
    files = try arguments.files()
  }
}
