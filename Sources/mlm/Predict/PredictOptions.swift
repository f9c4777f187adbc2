import CommandLine

/// The options of `mlm predict`.
struct PredictOptions: Sendable, Equatable {
  enum Format: String, Sendable, CaseIterable { case text, json, tsv, fill }

  var common: CommonOptions
  var computation: PrecisionOptions
  var input: InputChoice
  var topK: Int
  /// Words to score; empty: the whole vocabulary.
  var targets: [String]
  var format: Format
  /// The maximum number of tokens to compute together; nil: chosen automatically.
  var batchTokens: Int?
  /// Whether the masks of an input are filled together.
  var isJoint: Bool
  /// Candidates with a lower score are omitted.
  var minimumScore: Double
  /// Whether word pieces that continue a word (##ing) are omitted.
  var wholeWords: Bool
  var allowsUntrainedHead: Bool
}

extension PredictOptions {
  static let topK = Option<Int>.integer(
    "top-k", "K", default: 5, in: .output, help: "candidates per mask",
    details: "The number of candidates per mask.", foreignNames: ["topk", "k"])
  static let targets = Option<[String]>.words(
    "targets", "W,W...", defaultText: "the vocabulary", in: .output, help: "score only these words",
    details: """
      Score only these words. Scores remain probabilities over the whole vocabulary. For a word of n pieces, the mask \
      becomes n masks, and the score is the product of the probabilities of its pieces, each given the pieces before \
      it. May be given several times.
      """,
    foreignNames: ["target", "candidates"])
  static let format = Option<Format>.choice(
    "format", "NAME", default: .text, in: .output, help: "text, json, tsv or fill",
    details: """
      text: a table. json: one line per input, in the schema of transformers' fill-mask pipeline. tsv: input, mask \
      (both counted from 0), rank (from 1), score, token and token_str. fill: the text with each mask replaced by the \
      best word.
      """)
  static let joint = Option<Bool>.flag(
    "joint", in: .output, help: "fill several masks together",
    details: """
      Fill the masks of an input together, by beam search that starts with the most certain mask, so that each choice \
      takes the others into account. A candidate has one piece per mask and one score. Keys in json: score, tokens, \
      token_strs, sequence.
      """,
    foreignNames: ["beam", "beam-search"])
  static let minimumScore = Option<Double>.number(
    "min-score", .zeroToOne, default: 0, in: .output, help: "omit candidates with a lower score",
    details: """
      Omit candidates with a lower score. With --format fill, a mask without candidates is left in the text.
      """,
    foreignNames: ["threshold", "min-probability"])
  static let wholeWords = Option<Bool>.flag(
    "unique-words", in: .output, help: "omit word pieces that continue a word",
    details: "Omit word pieces that continue a word (##ing), which can have the same spelling as a whole word.",
    foreignNames: ["whole-words", "no-subwords"])
  static let batchTokens = Option<Int?>.integer(
    "batch-tokens", defaultText: "automatic", in: .general, help: "tokens to compute together",
    details: "The maximum number of tokens to compute together. Results do not depend on it.",
    foreignNames: ["batch-size"])

  static let allowUntrainedHead = Option<Bool>.flag(
    "allow-untrained-head", in: .model, help: "predict even if the head was never trained",
    details: """
      Predict even if the model's masked-language-model head was never trained, as in a bare encoder. Predictions are \
      random. By default, such a model is an error.
      """)

  static let declaration = CommandDeclaration(
    name: "predict", summary: "fill [MASK] tokens", operands: .texts,
    options: CommonOptions.modelDeclarations
      + [PrecisionOptions.precision.declaration, allowUntrainedHead.declaration, InputChoice.input.declaration]
      + CommonOptions.inputDeclarations
      + [
        topK.declaration, targets.declaration, joint.declaration, minimumScore.declaration, wholeWords.declaration,
        format.declaration, batchTokens.declaration, PrecisionOptions.verbose.declaration,
      ]
      + CommonOptions.generalDeclarations,
    description: [
      """
      Predicts a word for each [MASK]. Each TEXT is one input; without a TEXT, each line of --input FILE or of \
      standard input is. Lines are answered in order and immediately, so another program can send them one at a time.
      """,
      """
      An input without a [MASK] is an error (except with --format fill). The other inputs are still answered, and the \
      exit status is 1. A text that is too long for the model is cut to a window around its masks.
      """,
    ],
    examples: [
      .init(command: "mlm predict 'The capital of France is [MASK].'", meaning: "one text, five candidates"),
      .init(command: "mlm predict --format fill --input letter.txt", meaning: "fill in each mask of a file"),
      .init(
        command: "mlm predict --targets good,bad 'The film was [MASK].'", meaning: "compare two words"),
      .init(
        command: "mlm predict --joint 'The [MASK] of the [MASK] was cold.'", meaning: "words that go together"),
      .init(
        command: "mlm predict --precision int8 --input lines.txt --format tsv", meaning: "answer many lines faster"),
      .init(
        command: "printf '%s\\n' 'A [MASK] barks.' | mlm predict --format tsv | cut -f6",
        meaning: "only the words, for another program"),
    ],
    environment: CommonOptions.computingEnvironment)

  init(_ arguments: ParsedArguments) throws(UsageError) {
    try arguments.checkExclusions()
    common = try CommonOptions(arguments)
    computation = try PrecisionOptions(arguments)
    input = try InputChoice(arguments)
    topK = try arguments.value(of: Self.topK)
    targets = try arguments.value(of: Self.targets)
    format = try arguments.value(of: Self.format)
    batchTokens = try arguments.value(of: Self.batchTokens)
    isJoint = try arguments.value(of: Self.joint)
    minimumScore = try arguments.value(of: Self.minimumScore)
    wholeWords = try arguments.value(of: Self.wholeWords)
    allowsUntrainedHead = try arguments.value(of: Self.allowUntrainedHead)
  }
}
