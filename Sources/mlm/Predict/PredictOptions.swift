import CommandLine

/// What `mlm predict` was asked to do.
struct PredictOptions: Sendable, Equatable {
  enum Format: String, Sendable, CaseIterable { case text, json, tsv, fill }

  var common: CommonOptions
  var input: InputChoice
  var topK: Int
  /// Words to score; empty: the whole vocabulary.
  var targets: [String]
  var format: Format
  /// The most tokens to compute together; nil: chosen.
  var batchTokens: Int?
  /// Whether the masks of an input are filled together.
  var isJoint: Bool
  /// Candidates below are left out.
  var minimumScore: Double
  /// Whether word pieces that go on with a word are left out.
  var wholeWords: Bool
  var allowsUntrainedHead: Bool
}

extension PredictOptions {
  static let topK = Option<Int>.integer(
    "top-k", "K", default: 5, in: .output, help: "candidates per mask", foreignNames: ["topk", "k"])
  static let targets = Option<[String]>.words(
    "targets", "W,W...", defaultText: "the vocabulary", in: .output, help: "score only these words",
    details: """
      Score only these words. Scores stay shares of the whole vocabulary. For a word of n pieces the mask becomes n masks, \
      and its score is the product of its pieces', each given those before it. May be given several times.
      """,
    foreignNames: ["target", "candidates"])
  static let format = Option<Format>.choice(
    "format", "NAME", default: .text, in: .output, help: "text, json, tsv or fill",
    details: """
      text: for people. json: a line per input, the schema of the fill-mask pipeline of transformers. tsv: input, \
      mask, rank, score, token and token_str, counted from 0, 0 and 1. fill: the text with each mask replaced by its \
      best word.
      """)
  static let joint = Option<Bool>.flag(
    "joint", in: .output, help: "fill several masks together",
    details: """
      Fill the masks of an input together, by beam search, the surest mask first: what is put into one is seen by the \
      others. A candidate is then a piece for every mask, and its score that of the whole filling. In json: score, tokens, \
      token_strs, sequence.
      """,
    foreignNames: ["beam", "beam-search"])
  static let minimumScore = Option<Double>.number(
    "min-score", .zeroToOne, default: 0, in: .output, help: "leave out what is less probable",
    details: """
      Leave out candidates of a lower score. With --format fill, a mask for which none is left stays in the text.
      """,
    foreignNames: ["threshold", "min-probability"])
  static let wholeWords = Option<Bool>.flag(
    "unique-words", in: .output, help: "no ## pieces",
    details:
      "Leave out word pieces that go on with a word (##ing), which would be shown beside the word of that spelling.",
    foreignNames: ["whole-words", "no-subwords"])
  static let batchTokens = Option<Int?>.integer(
    "batch-tokens", defaultText: "chosen", in: .general, help: "at most this many tokens together",
    details: "The most tokens that are computed together. Results do not depend on it.", foreignNames: ["batch-size"])

  static let allowUntrainedHead = Option<Bool>.flag(
    "allow-untrained-head", in: .model, help: "predict with a new head, at random",
    details: """
      Answer with a model whose masked-language-model head is new, as that of a bare encoder is: its answers are \
      random. Without it such a model is refused.
      """)

  static let declaration = CommandDeclaration(
    name: "predict", summary: "fill [MASK] tokens", operands: .texts,
    options: CommonOptions.modelDeclarations
      + [allowUntrainedHead.declaration, InputChoice.input.declaration] + CommonOptions.inputDeclarations
      + [
        topK.declaration, targets.declaration, joint.declaration, minimumScore.declaration, wholeWords.declaration,
        format.declaration, batchTokens.declaration,
      ]
      + CommonOptions.generalDeclarations,
    description: [
      """
      Says what could stand in the place of each [MASK]. Each TEXT is one input; without a TEXT, the lines of --input \
      FILE or of standard input are, answered in order and at once, so that another program can ask line by line.
      """,
      """
      An input without a [MASK] (except with --format fill) fails by itself; the others go on, and the exit status is \
      1 at the end. A text longer than the model takes is cut to the window around its masks.
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
        command: "printf '%s\\n' 'A [MASK] barks.' | mlm predict --format tsv | cut -f6",
        meaning: "only the words, for another program"),
    ],
    environment: CommonOptions.environment)

  init(_ arguments: ParsedArguments) throws(UsageError) {
    try arguments.checkExclusions()
    common = try CommonOptions(arguments)
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
