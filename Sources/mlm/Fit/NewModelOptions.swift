import CommandLine

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
  var minimumFrequency = 2
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
    "learn-vocabulary", in: .newModel, help: "learn N word pieces from the FILEs",
    details: """
      Learn a WordPiece vocabulary of N pieces from the FILEs, as Hugging Face's WordPieceTrainer does, and train a model \
      of random weights with it. [PAD], [UNK], [CLS], [SEP] and [MASK] are added to the N, with the ids 0 to 4: \
      vocab.txt has N + 5 lines.
      """,
    foreignNames: ["vocab-size", "vocabulary-size", "train-tokenizer"])
  static let vocabularyFile = Option<String?>.text(
    "vocabulary", "FILE", kind: .file, in: .newModel, help: "take this one, a piece a line",
    details: "Take the vocabulary of this file, one word piece a line (vocab.txt), for a model of random weights.",
    foreignNames: ["vocab", "vocab-file", "tokenizer", "tokenizer-name"])
  static let lowercase = Option<Bool>.flag(
    "lowercase", in: .newModel, help: "the vocabulary is for lower-cased text",
    details: """
      Text is lower-cased and loses its accents. With --learn-vocabulary this or --cased, unless given, is as in the \
      preset; with --vocabulary as the pieces look.
      """,
    foreignNames: ["uncased", "do-lower-case"])
  static let cased = Option<Bool>.flag(
    "cased", in: .newModel, help: "the vocabulary keeps case and accents",
    details: "Text keeps its case and its accents.", foreignNames: ["keep-case", "no-lowercase"])
  static let minimumFrequency = Option<Int>.integer(
    "min-frequency", default: 2, in: .newModel, help: "a piece is seen N times at least",
    details: "With --learn-vocabulary: no piece is made of what is seen less often. The characters are pieces anyway.")
  static let keepSpecialIDs = Option<Bool>.flag(
    "keep-special-ids", in: .newModel, help: "special tokens keep the preset's ids",
    details: """
      With --learn-vocabulary: [PAD], [UNK], [CLS], [SEP] and [MASK] have the ids they have in the preset (in BERT 0 and 100 \
      to 103), and [unused0], [unused1] … fill the gaps, in addition to the N pieces.
      """)
  static let layers = Option<Int?>.integer(
    "layers", "N", 1...1024, defaultText: "the preset's", in: .newModel, help: "encoder layers",
    foreignNames: ["num-layers", "n-layers", "num-hidden-layers"])
  static let hiddenDim = Option<Int?>.integer(
    "hidden-dim", "N", 1...65536, defaultText: "the preset's", in: .newModel, help: "width of the model",
    details: "The width of the model (config.json: dim).", foreignNames: ["dim", "hidden-size", "width"])
  static let heads = Option<Int?>.integer(
    "heads", "N", 1...65536, defaultText: "the preset's", in: .newModel, help: "attention heads",
    details: "Attention heads; the width must be a multiple of it.",
    foreignNames: ["num-heads", "n-heads", "num-attention-heads"])
  static let intermediateDim = Option<Int?>.integer(
    "intermediate-dim", "N", 1...1_048_576, defaultText: "the preset's", in: .newModel, help: "width of feed-forward",
    details: """
      The width between the two layers of feed-forward (config.json: hidden_dim). Without it, four times --hidden-dim \
      where that is given.
      """,
    foreignNames: ["intermediate-size", "ffn-dim"])

  static let declarations = [
    learnVocabulary.declaration, vocabularyFile.declaration, lowercase.declaration, cased.declaration,
    minimumFrequency.declaration, keepSpecialIDs.declaration, layers.declaration, hiddenDim.declaration,
    heads.declaration,
    intermediateDim.declaration,
  ]

  init(_ arguments: ParsedArguments) throws(UsageError) {
    let size = try arguments.value(of: Self.learnVocabulary)
    let file = try arguments.value(of: Self.vocabularyFile)
    switch (size, file) {
    case (_?, _?): throw .conflict("--learn-vocabulary", "--vocabulary", why: "both say what the word pieces are")
    case (let size?, nil): vocabulary = .learned(size: size)
    case (nil, let file?): vocabulary = .file(file)
    case (nil, nil): break
    }
    minimumFrequency = try arguments.value(of: Self.minimumFrequency)
    if minimumFrequency != Self.minimumFrequency.defaultValue, size == nil {
      throw UsageError("--min-frequency is for --learn-vocabulary")
    }
    keepsSpecialIDs = try arguments.value(of: Self.keepSpecialIDs)
    if keepsSpecialIDs, size == nil { throw UsageError("--keep-special-ids is for --learn-vocabulary") }
    layers = try arguments.value(of: Self.layers)
    hiddenDim = try arguments.value(of: Self.hiddenDim)
    heads = try arguments.value(of: Self.heads)
    intermediateDim = try arguments.value(of: Self.intermediateDim) ?? hiddenDim.map { 4 * $0 }

    let (lower, cased) = (try arguments.value(of: Self.lowercase), try arguments.value(of: Self.cased))
    if lower, cased { throw .conflict("--lowercase", "--cased", why: "text is one or the other") }
    lowercases = lower ? true : cased ? false : nil
    if lowercases != nil, vocabulary == .preset {
      throw UsageError(
        "\(lower ? "--lowercase" : "--cased") is for a new vocabulary",
        hint: "add --learn-vocabulary N or --vocabulary FILE")
    }
    if try arguments.value(of: CommonOptions.preprocessed), size != nil {
      throw .conflict("--preprocessed", "--learn-vocabulary", why: "integers are no text to learn from")
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

  /// What changes the result, for `FitOptions.arithmetic`.
  var arithmetic: [(option: String, value: String)] {
    func text(_ value: Int?) -> String { value.map { String($0) } ?? "the preset's" }
    let learned = if case .learned(let size) = vocabulary { String(size) } else { "off" }
    return [
      ("learn-vocabulary", learned), ("vocabulary", vocabularyText),
      ("cased", lowercases.map { $0 ? "off" : "on" } ?? "as the preset"), ("min-frequency", String(minimumFrequency)),
      ("keep-special-ids", keepsSpecialIDs ? "on" : "off"), ("layers", text(layers)), ("hidden-dim", text(hiddenDim)),
      ("heads", text(heads)),
      ("intermediate-dim", text(intermediateDim)),
    ]
  }
}
