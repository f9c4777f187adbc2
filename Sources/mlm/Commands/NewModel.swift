import Model

/// Makes a model of random weights whose vocabulary or size is not its preset's.
struct NewModel {
  let options: NewModelOptions
  let common: CommonOptions
  let context: CommandContext

  /// - Parameters:
  ///   - preset: where architecture and vocabulary come from, as far as the options do not say.
  ///   - files: the text to learn a vocabulary from.
  func make(
    from preset: String, in registry: PresetRegistry, files: [TextFile], dropout: Double?
  ) throws -> DistilBertMaskedLM {
    let resolved = try context.reachingHub { try registry.resolve(preset, hub: $0, loadWeights: false) }
    var configuration = try configuration(resolved.configuration)
    let tokenizer = try tokenizer(resolved, files)
    configuration.vocabularySize = tokenizer.vocabulary.count
    configuration.paddingTokenID = Int(tokenizer.specialTokens.padding)
    if let dropout { (configuration.dropout, configuration.attentionDropout) = (Float(dropout), Float(dropout)) }
    let preprocessor = try DistilBertMaskedLMPreprocessor(
      tokenizer: tokenizer, sequenceLength: min(512, configuration.maxSequenceLength),
      masking: MaskingOptions(seed: common.seed))
    if common.preset != nil, common.loadsWeights {
      context.console.note("the weights of \(preset) do not fit a new vocabulary: they are random")
    }
    return try DistilBertMaskedLM(
      configuration: configuration, preprocessor: preprocessor, seed: common.seed, threads: context.threads(common))
  }

  private func configuration(_ preset: Configuration) throws(UsageError) -> Configuration {
    var configuration = preset
    if let layers = options.layers { configuration.numLayers = layers }
    if let hiddenDim = options.hiddenDim { configuration.hiddenDim = hiddenDim }
    if let heads = options.heads { configuration.numHeads = heads }
    if let intermediateDim = options.intermediateDim { configuration.intermediateDim = intermediateDim }
    guard configuration.hiddenDim.isMultiple(of: configuration.numHeads) else {
      throw UsageError(
        "a width of \(configuration.hiddenDim) is no multiple of \(configuration.numHeads) attention heads",
        hint: "give --hidden-dim and --heads that go together")
    }
    return configuration
  }

  private func tokenizer(_ preset: ResolvedPreset, _ files: [TextFile]) throws -> WordPieceTokenizer {
    switch options.vocabulary {
    case .preset: return try preset.loadTokenizer()
    case .file(let file): return try WordPieceTokenizer.load(vocabularyFile: file, lowercase: options.lowercases)
    case .learned(let size):
      let lowercases = try options.lowercases ?? preset.loadTokenizer().options.lowercase
      return try learn(size, lowercases: lowercases, from: files)
    }
  }

  private func learn(_ size: Int, lowercases: Bool, from files: [TextFile]) throws -> WordPieceTokenizer {
    let trainer = WordPieceTrainer(
      vocabularySize: size, minimumFrequency: options.minimumFrequency, options: .init(lowercase: lowercases),
      threads: context.threads(common))
    let (vocabulary, found) = try trainer.train(files)
    context.console.note(
      "learned \(vocabulary.count) word pieces from \(Readable.plural(found.words, "word")), \(found.distinctWords) "
        + "different")
    if vocabulary.count < size {
      context.console.note("the text gives no more pieces that are seen \(options.minimumFrequency) times")
    }
    if found.charactersLeftOut > 0 {
      context.console.warning(
        "\(found.charactersLeftOut) rare characters found no room in the vocabulary: \(found.unknownWords) of "
          + "\(Readable.plural(found.words, "word")) are [UNK]")
    }
    return try WordPieceTokenizer(vocabulary: vocabulary, options: trainer.options)
  }
}
