import CommandLine
import Model

/// What of a model is new: its vocabulary, its size. Either way its weights are random.
struct NewModelOptions: Sendable, Equatable {
  enum Vocabulary: Sendable, Equatable {
    /// The preset's.
    case preset
    /// Learned from the FILEs: so many word pieces.
    case learned(size: Int)
    /// One word piece a line.
    case file(String)
  }

  var vocabulary = Vocabulary.preset
  /// nil: as the preset has it, or for a file as its pieces look.
  var lowercases: Bool?
  var minimumFrequency = Self.minimumFrequency.defaultValue
  /// Whether the special tokens of a learned vocabulary have the preset's ids, with [unusedN] between them.
  var keepsSpecialIDs = false
  /// nil: the preset's. Without it and with `hiddenDim`, `intermediateDim` is four times that.
  var layers, hiddenDim, heads, intermediateDim: Int?

  var changesArchitecture: Bool { layers != nil || hiddenDim != nil || heads != nil || intermediateDim != nil }
  /// Whether the model is not the preset's.
  var isNew: Bool { vocabulary != .preset || changesArchitecture }
}

extension NewModelOptions {
  static let learnVocabulary = Option<Int?>.integer(
    "learn-vocabulary", in: .newModel, role: .arithmetic, excludes: [pieces],
    help: "learn N word pieces from the FILEs",
    details: """
      Learn a WordPiece vocabulary of N pieces from the FILEs, as Hugging Face's WordPieceTrainer does, and train a model \
      of random weights with it. [PAD], [UNK], [CLS], [SEP] and [MASK] are added to the N, with the ids 0 to 4: \
      vocab.txt has N + 5 lines.
      """,
    foreignNames: ["vocab-size", "vocabulary-size", "train-tokenizer"])
  static let vocabularyFile = Option<String?>.text(
    "vocabulary", "FILE", kind: .file, in: .newModel, role: .content, excludes: [pieces],
    help: "take this one, a piece a line",
    details: "Take the vocabulary of this file, one word piece a line (vocab.txt), for a model of random weights.",
    foreignNames: ["vocab", "vocab-file", "tokenizer", "tokenizer-name"])
  static let lowercase = Option<Bool>.flag(
    "lowercase", in: .newModel, role: .arithmetic, excludes: [letters], help: "the vocabulary is for lower-cased text",
    details: """
      Text is lower-cased and loses its accents. With --learn-vocabulary this or --cased, unless given, is as in the \
      preset; with --vocabulary as the pieces look.
      """,
    foreignNames: ["uncased", "do-lower-case"])
  static let cased = Option<Bool>.flag(
    "cased", in: .newModel, role: .arithmetic, excludes: [letters], help: "the vocabulary keeps case and accents",
    details: "Text keeps its case and its accents.", foreignNames: ["keep-case", "no-lowercase"])
  static let minimumFrequency = Option<Int>.integer(
    "min-frequency", default: 2, in: .newModel, role: .arithmetic, help: "a piece is seen N times at least",
    details: "With --learn-vocabulary: no piece is made of what is seen less often. The characters are pieces anyway.")
  static let keepSpecialIDs = Option<Bool>.flag(
    "keep-special-ids", in: .newModel, role: .arithmetic, help: "special tokens keep the preset's ids",
    details: """
      With --learn-vocabulary: [PAD], [UNK], [CLS], [SEP] and [MASK] have the ids they have in the preset (in BERT 0 and 100 \
      to 103), and [unused0], [unused1] … fill the gaps, in addition to the N pieces.
      """)
  static let layers = Option<Int?>.integer(
    "layers", "N", 1...Configuration.Limit.numLayers, defaultText: "the preset's", in: .newModel, role: .arithmetic,
    help: "encoder layers",
    foreignNames: ["num-layers", "n-layers", "num-hidden-layers"])
  static let hiddenDim = Option<Int?>.integer(
    "hidden-dim", "N", 1...Configuration.Limit.hiddenDim, defaultText: "the preset's", in: .newModel, role: .arithmetic,
    help: "width of the model",
    details: "The width of the model (config.json: dim).", foreignNames: ["dim", "hidden-size", "width"])
  static let heads = Option<Int?>.integer(
    "heads", "N", 1...Configuration.Limit.numHeads, defaultText: "the preset's", in: .newModel, role: .arithmetic,
    help: "attention heads",
    details: "Attention heads; the width must be a multiple of it.",
    foreignNames: ["num-heads", "n-heads", "num-attention-heads"])
  static let intermediateDim = Option<Int?>.integer(
    "intermediate-dim", "N", 1...Configuration.Limit.intermediateDim, defaultText: "the preset's", in: .newModel,
    role: .arithmetic,
    help: "width of feed-forward",
    details: """
      The width between the two layers of feed-forward (config.json: hidden_dim). Without it, four times --hidden-dim \
      where that is given.
      """,
    foreignNames: ["intermediate-size", "ffn-dim"])

  private static let pieces = Exclusion(
    of: ["learn-vocabulary", "vocabulary"], because: "both say what the word pieces are")
  private static let letters = Exclusion(of: ["lowercase", "cased"], because: "text is one or the other")

  static let fields: [OptionField<Self>] = [
    .init(
      learnVocabulary, value: { if case .learned(let size) = $0.vocabulary { size } else { .some(nil) } }, absent: "off"
    ),
    .init(
      vocabularyFile, value: { if case .file(let file) = $0.vocabulary { file } else { .some(nil) } },
      key: { $0.vocabularyText }),
    // What the text loses is one question, whose answer is under `cased` in the key.
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
      throw UsageError("--min-frequency is for --learn-vocabulary")
    }
    if keepsSpecialIDs, size == nil { throw UsageError("--keep-special-ids is for --learn-vocabulary") }
    intermediateDim = intermediateDim ?? hiddenDim.map { 4 * $0 }

    let (lower, cased) = (try arguments.value(of: Self.lowercase), try arguments.value(of: Self.cased))
    lowercases = lower ? true : cased ? false : nil
    if lowercases != nil, vocabulary == .preset {
      throw UsageError(
        "\(lower ? "--lowercase" : "--cased") is for a new vocabulary",
        hint: "add --learn-vocabulary N or --vocabulary FILE")
    }
    // A preset's weights are not silently dropped for the sake of a number.
    if changesArchitecture, vocabulary == .preset, try !arguments.value(of: CommonOptions.noLoadWeights),
      try !arguments.value(of: FitOptions.resume)
    {
      throw UsageError(
        "a model of another size has random weights", hint: "add --no-load-weights if that is meant")
    }
  }

  /// What `vocabularyText` is where no file is given.
  static let noFile: Set<String> = ["the preset's", "learned"]

  /// Where the vocabulary comes from: the name of a file, or one of `noFile`.
  var vocabularyText: String {
    switch vocabulary {
    case .preset: "the preset's"
    case .learned: "learned"
    case .file(let file): file
    }
  }
}
