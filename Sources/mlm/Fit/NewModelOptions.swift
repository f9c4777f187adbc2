import CommandLine
import Model

/// The options that give a model a new vocabulary or size. The weights of such a model are random.
struct NewModelOptions: Sendable, Equatable {
  enum Vocabulary: Sendable, Equatable {
    /// The preset's.
    case preset
    /// Learned from the FILEs, with this number of word pieces.
    case learned(size: Int)
    /// A file with one word piece per line.
    case file(String)
  }

  var vocabulary = Vocabulary.preset
  /// nil: the preset's setting; for a file, detected from the pieces.
  var lowercases: Bool?
  var minimumFrequency = Self.minimumFrequency.defaultValue
  /// Whether the special tokens of a learned vocabulary have the preset's ids, with [unusedN] between them.
  var keepsSpecialIDs = false
  /// nil: the preset's. Without it and with `hiddenDim`, `intermediateDim` is four times that.
  var layers, hiddenDim, heads, intermediateDim: Int?

  var changesArchitecture: Bool { layers != nil || hiddenDim != nil || heads != nil || intermediateDim != nil }
  /// Whether vocabulary or architecture differ from the preset's.
  var isNew: Bool { vocabulary != .preset || changesArchitecture }
}

extension NewModelOptions {
  static let learnVocabulary = Option<Int?>.integer(
    "learn-vocabulary", in: .newModel, role: .arithmetic, excludes: [pieces],
    help: "learn N word pieces from the FILEs",
    details: """
      Learn a WordPiece vocabulary of N pieces from the FILEs, as Hugging Face's WordPieceTrainer does, and train a \
      model with random weights. [PAD], [UNK], [CLS], [SEP] and [MASK] are added to the N pieces, with the ids 0 to 4, \
      so vocab.txt has N + 5 lines.
      """,
    foreignNames: ["vocab-size", "vocabulary-size", "train-tokenizer"])
  static let vocabularyFile = Option<String?>.text(
    "vocabulary", "FILE", kind: .file, in: .newModel, role: .content, excludes: [pieces],
    help: "use this vocabulary, one piece per line",
    details: "Train a model with random weights and the vocabulary in this file (vocab.txt), one word piece per line.",
    foreignNames: ["vocab", "vocab-file", "tokenizer", "tokenizer-name"])
  static let lowercase = Option<Bool>.flag(
    "lowercase", in: .newModel, role: .arithmetic, excludes: [letters], help: "lowercase text and strip accents",
    details: """
      Lowercase text and strip its accents. Default: the preset's setting with --learn-vocabulary; detected from the \
      pieces with --vocabulary.
      """,
    foreignNames: ["uncased", "do-lower-case"])
  static let cased = Option<Bool>.flag(
    "cased", in: .newModel, role: .arithmetic, excludes: [letters], help: "keep case and accents",
    details: "Keep the case and the accents of text. See --lowercase for the default.",
    foreignNames: ["keep-case", "no-lowercase"])
  static let minimumFrequency = Option<Int>.integer(
    "min-frequency", default: 2, in: .newModel, role: .arithmetic, help: "minimum frequency of a learned piece",
    details: "With --learn-vocabulary: learn only pieces that occur at least N times. Single characters are exempt.")
  static let keepSpecialIDs = Option<Bool>.flag(
    "keep-special-ids", in: .newModel, role: .arithmetic, help: "keep the preset's ids of special tokens",
    details: """
      With --learn-vocabulary: give [PAD], [UNK], [CLS], [SEP] and [MASK] their ids in the preset (in BERT: 0 and 100 \
      to 103). [unused0], [unused1] … fill the gaps, in addition to the N pieces.
      """)
  static let layers = Option<Int?>.integer(
    "layers", "N", 1...Configuration.Limit.numLayers, defaultText: "the preset's", in: .newModel, role: .arithmetic,
    help: "number of encoder layers", details: "The number of encoder layers.",
    foreignNames: ["num-layers", "n-layers", "num-hidden-layers"])
  static let hiddenDim = Option<Int?>.integer(
    "hidden-dim", "N", 1...Configuration.Limit.hiddenDim, defaultText: "the preset's", in: .newModel, role: .arithmetic,
    help: "width of the model",
    details: "The width of the model (config.json: dim).", foreignNames: ["dim", "hidden-size", "width"])
  static let heads = Option<Int?>.integer(
    "heads", "N", 1...Configuration.Limit.numHeads, defaultText: "the preset's", in: .newModel, role: .arithmetic,
    help: "number of attention heads",
    details: "The number of attention heads, which must divide the width.",
    foreignNames: ["num-heads", "n-heads", "num-attention-heads"])
  static let intermediateDim = Option<Int?>.integer(
    "intermediate-dim", "N", 1...Configuration.Limit.intermediateDim, defaultText: "the preset's", in: .newModel,
    role: .arithmetic, help: "width of the feed-forward layers",
    details: """
      The width between the two feed-forward layers (config.json: hidden_dim). Default: four times --hidden-dim if \
      that is given.
      """,
    foreignNames: ["intermediate-size", "ffn-dim"])

  private static let pieces = Exclusion(
    of: ["learn-vocabulary", "vocabulary"], because: "both set the word pieces")
  private static let letters = Exclusion(of: ["lowercase", "cased"], because: "they are opposites")

  static let fields: [OptionField<Self>] = [
    .init(
      learnVocabulary, value: { if case .learned(let size) = $0.vocabulary { size } else { .some(nil) } }, absent: "off"
    ),
    .init(
      vocabularyFile, value: { if case .file(let file) = $0.vocabulary { file } else { .some(nil) } },
      key: { $0.vocabularyText }),
    // The key holds one entry for --lowercase and --cased: `cased`.
    .init(lowercase, value: { $0.lowercases == true }, key: { _ in nil }),
    .init(
      cased, value: { $0.lowercases == false }, key: { $0.lowercases.map { !$0 }.keyText ?? "as the preset" }),
    .init(minimumFrequency, \.minimumFrequency), .init(keepSpecialIDs, \.keepsSpecialIDs, before: "off"),
    .init(layers, \.layers, absent: "the preset's"), .init(hiddenDim, \.hiddenDim, absent: "the preset's"),
    .init(heads, \.heads, absent: "the preset's"), .init(intermediateDim, \.intermediateDim, absent: "the preset's"),
  ]

  init(_ arguments: ParsedArguments) throws(UsageError) {
    for field in Self.fields { try field.read(arguments, &self) }
    let size = try arguments.value(of: Self.learnVocabulary)
    if let size {
      vocabulary = .learned(size: size)
    } else if let file = try arguments.value(of: Self.vocabularyFile) {
      vocabulary = .file(file)
    }
    if minimumFrequency != Self.minimumFrequency.defaultValue, size == nil {
      throw UsageError("--min-frequency needs --learn-vocabulary")
    }
    if keepsSpecialIDs, size == nil { throw UsageError("--keep-special-ids needs --learn-vocabulary") }
    intermediateDim = intermediateDim ?? hiddenDim.map { 4 * $0 }

    let (lower, cased) = (try arguments.value(of: Self.lowercase), try arguments.value(of: Self.cased))
    lowercases = lower ? true : cased ? false : nil
    if lowercases != nil, vocabulary == .preset {
      throw UsageError(
        "\(lower ? "--lowercase" : "--cased") needs a new vocabulary",
        hint: "add --learn-vocabulary N or --vocabulary FILE")
    }
    // The preset's weights must not be dropped silently.
    if changesArchitecture, vocabulary == .preset, try !arguments.value(of: CommonOptions.noLoadWeights),
      try !arguments.value(of: FitOptions.resume)
    {
      throw UsageError(
        "the preset's weights do not fit another size", hint: "add --no-load-weights to start from random weights")
    }
  }

  /// The values of `vocabularyText` if no file is given.
  static let noFile: Set<String> = ["the preset's", "learned"]

  /// The source of the vocabulary: the name of a file, or one of `noFile`.
  var vocabularyText: String {
    switch vocabulary {
    case .preset: "the preset's"
    case .learned: "learned"
    case .file(let file): file
    }
  }
}
