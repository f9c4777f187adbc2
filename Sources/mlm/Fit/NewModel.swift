import CommandLine
import Hub
import Model
import Text

/// Makes a model with random weights whose vocabulary or size differs from its preset's.
struct NewModel {
  let options: NewModelOptions
  let common: CommonOptions
  let context: CommandContext

  /// - Parameters:
  ///   - preset: the source of the architecture and the vocabulary, unless options override them.
  ///   - files: the text to learn a vocabulary from.
  func make(
    from preset: String, in registry: PresetRegistry, files: [TextFile], dropout: Double?
  ) throws -> DistilBertMaskedLM {
    let base = try context.reachingHub { hub in
      try registry.resolve(preset, hub: hub, loadWeights: false) { resolved in
        Base(
          name: resolved.displayName, configuration: resolved.configuration,
          tokenizer: needsTokenizer ? try resolved.loadTokenizer() : nil)
      }
    }
    var configuration = try configuration(base.configuration)
    let tokenizer = try tokenizer(base, files)
    configuration.vocabularySize = tokenizer.vocabulary.count
    configuration.paddingTokenID = Int(tokenizer.specialTokens.padding)
    if let dropout { (configuration.dropout, configuration.attentionDropout) = (Float(dropout), Float(dropout)) }
    let preprocessor = try DistilBertMaskedLMPreprocessor(
      tokenizer: tokenizer, sequenceLength: min(512, configuration.maxSequenceLength),
      masking: MaskingOptions(seed: common.seed))
    if common.preset != nil, common.loadsWeights {
      context.console.note("using random weights, because those of \(preset) do not fit a new vocabulary")
    }
    return try DistilBertMaskedLM(
      configuration: configuration, preprocessor: preprocessor, seed: common.seed, threads: context.threads(common))
  }

  /// The parts of the preset that are used.
  private struct Base {
    let name: String
    let configuration: Configuration
    /// nil if it is not needed.
    let tokenizer: WordPieceTokenizer?
  }

  private var needsTokenizer: Bool {
    switch options.vocabulary {
    case .preset: true
    case .file: false
    case .learned: options.lowercases == nil || options.keepsSpecialIDs
    }
  }

  private func configuration(_ preset: Configuration) throws(UsageError) -> Configuration {
    var configuration = preset
    if let layers = options.layers { configuration.numLayers = layers }
    if let hiddenDim = options.hiddenDim { configuration.hiddenDim = hiddenDim }
    if let heads = options.heads { configuration.numHeads = heads }
    if let intermediateDim = options.intermediateDim { configuration.intermediateDim = intermediateDim }
    guard configuration.hiddenDim.isMultiple(of: configuration.numHeads) else {
      throw UsageError(
        "width \(configuration.hiddenDim) is not a multiple of \(configuration.numHeads) attention heads",
        hint: "change --hidden-dim or --heads")
    }
    return configuration
  }

  private func tokenizer(_ preset: Base, _ files: [TextFile]) throws -> WordPieceTokenizer {
    switch options.vocabulary {
    case .preset:
      guard let tokenizer = preset.tokenizer else { throw ModelUseError.noPreprocessor }
      return tokenizer
    case .file(let file): return try WordPieceTokenizer.load(vocabularyFile: file, lowercase: options.lowercases)
    case .learned(let size): return try learn(size, preset, files)
    }
  }

  private func learn(_ size: Int, _ preset: Base, _ files: [TextFile]) throws -> WordPieceTokenizer {
    var trainer = WordPieceTrainer(
      pieces: size, minimumFrequency: options.minimumFrequency, threads: context.threads(common))
    if let lowercases = options.lowercases {
      trainer.options = .init(lowercase: lowercases)
    } else if let tokenizer = preset.tokenizer {
      trainer.options.lowercase = tokenizer.options.lowercase
      trainer.options.stripAccents = tokenizer.options.stripAccents
    }
    var names = SpecialTokenNames()
    if options.keepsSpecialIDs, let tokenizer = preset.tokenizer {
      guard let ids = SpecialTokenPlaces(like: tokenizer.specialTokens) else {
        throw UsageError("--keep-special-ids: the preset's special tokens have ids above 1,000")
      }
      trainer.specialTokens = ids
      names = tokenizer.specialTokens.names
    }
    let (vocabulary, found) = try trainer.train(files)
    say(found, pieces: vocabulary.count - trainer.specialTokens.count, of: size, trainer.options, preset)
    return try WordPieceTokenizer(vocabulary: vocabulary, options: trainer.options, names: names)
  }

  private func say(
    _ found: WordPieceTrainer.Statistics, pieces: Int, of size: Int, _ tokenizing: WordPieceTokenizer.Options,
    _ preset: Base
  ) {
    context.console.note(
      "learned \(plural(pieces, "word piece")) from \(plural(found.words, "word")), "
        + "\(found.distinctWords) of them distinct")
    if pieces < size {
      context.console.note("the text has no other pieces that occur at least \(options.minimumFrequency) times")
    }
    let letters =
      "\(tokenizing.lowercase ? "lowercase" : "case kept"), accents \(tokenizing.stripsAccents ? "removed" : "kept")"
    let reason =
      switch options.lowercases {
      case nil:
        "as in \(preset.name); \(tokenizing.lowercase ? "--cased keeps case and accents" : "--lowercase removes both")"
      case true?: "by --lowercase"
      case false?: "by --cased"
      }
    context.console.note("vocabulary: \(letters), \(reason)")
    if found.mergedShare > 0.01 {
      context.console.warning(
        "\(Readable.percent(found.mergedShare)) of the \(found.distinctSpellings) distinct words become equal to "
          + "others (\(letters)); --cased keeps them distinct")
    }
    if found.charactersLeftOut > 0 {
      // If that makes many tokens [UNK], a warning follows when the text is read.
      context.console.note(
        "\(plural(found.charactersLeftOut, "rare character")) did not fit into the vocabulary, so "
          + "\(found.unknownWords) of \(plural(found.words, "word")) are [UNK]")
    }
  }
}
