extension DistilBertMaskedLM {
  /// A model of a preset: a name in the registry, a model directory, or `hf://OWNER/NAME[@REVISION]` in the hub's cache
  /// (KerasHub: `DistilBertMaskedLM.from_preset`).
  ///
  /// - Parameters:
  ///   - loadWeights: false: the preset's architecture and vocabulary with random weights from the seed.
  ///   - seed: every random choice comes from it.
  ///   - threads: threads to compute with.
  ///   - dropout: takes the place of the model's own rates.
  ///   - environment: where the hub's cache is looked for.
  /// - Throws: `HubError`, `FileError`, `CheckpointError`, `TokenizerError`: what is missing or does not fit, and what to do.
  public static func fromPreset(
    _ preset: String, loadWeights: Bool = true, seed: UInt64 = 0, threads: Int = DistilBertMaskedLM.defaultThreads,
    dropout: Float? = nil,
    environment: HubEnvironment = HubEnvironment([:])
  ) throws -> DistilBertMaskedLM {
    let resolved = try PresetRegistry.builtIn().resolve(preset, environment: environment, loadWeights: loadWeights)
    return try load(resolved, seed: seed, threads: threads, dropout: dropout)
  }

  /// The same without a preprocessor, for preprocessed samples alone: no vocabulary is read.
  public static func fromPreset(
    _ preset: String, loadWeights: Bool = true, preprocessor: DistilBertMaskedLMPreprocessor?, seed: UInt64 = 0,
    threads: Int = DistilBertMaskedLM.defaultThreads, environment: HubEnvironment = HubEnvironment([:])
  ) throws -> DistilBertMaskedLM {
    let resolved = try PresetRegistry.builtIn().resolve(preset, environment: environment, loadWeights: loadWeights)
    let (network, compute, notes) = try network(resolved, seed: seed, threads: threads, dropout: nil)
    return DistilBertMaskedLM(network, preprocessor: preprocessor, compute: compute, seed: seed, notes: notes)
  }

  /// A model of a preset that was found.
  public static func load(
    _ preset: ResolvedPreset, seed: UInt64 = 0, threads: Int = DistilBertMaskedLM.defaultThreads, dropout: Float? = nil
  ) throws -> DistilBertMaskedLM {
    let tokenizer = try preset.loadTokenizer()
    let configuration = preset.configuration
    guard tokenizer.vocabulary.count <= configuration.vocabularySize else {
      throw ModelFitError.vocabularyLargerThanModel(
        preset: preset.displayName, pieces: tokenizer.vocabulary.count, rows: configuration.vocabularySize)
    }
    let (network, compute, loaded) = try network(preset, seed: seed, threads: threads, dropout: dropout)
    var notes = loaded
    if tokenizer.vocabulary.count < configuration.vocabularySize {
      // Padding to a round number is common; more is a sign that files of two models were mixed.
      notes.append(
        "the vocabulary has \(tokenizer.vocabulary.count) word pieces, but the model \(configuration.vocabularySize) rows "
          + "for them; the others are never predicted")
    }
    let preprocessor = try DistilBertMaskedLMPreprocessor(
      tokenizer: tokenizer, sequenceLength: min(512, configuration.maxSequenceLength),
      masking: MaskingOptions(seed: seed))
    return DistilBertMaskedLM(network, preprocessor: preprocessor, compute: compute, seed: seed, notes: notes)
  }

  private static func network(
    _ preset: ResolvedPreset, seed: UInt64, threads: Int, dropout: Float?
  ) throws -> (Network, Compute, notes: [String]) {
    let compute = Compute(threads: threads)
    var configuration = preset.configuration
    if let dropout { (configuration.dropout, configuration.attentionDropout) = (dropout, dropout) }
    guard let directory = preset.weightsDirectory else {
      return (try Network(random: configuration, seed: seed, on: compute.pool), compute, preset.notes)
    }
    let opened = try ModelDirectory.open(directory)
    guard let weights = opened.weights else { throw CheckpointError.noWeights(path: directory) }
    return (
      try Network(configuration, weights, seed: seed, on: compute.pool), compute, preset.notes + opened.notes
    )
  }
}

extension ResolvedPreset {
  /// The tokenizer alone: no weights are touched.
  public func loadTokenizer() throws -> WordPieceTokenizer {
    switch tokenizer {
    case .directory(let path):
      return try WordPieceTokenizer.load(directory: path, lowercase: isLowercase)
    case .vocabulary(let bytes, let name):
      return try WordPieceTokenizer(
        vocabulary: try Vocabulary(vocabTXT: bytes, file: name), options: .init(lowercase: isLowercase ?? true))
    }
  }
}

/// Parts of a model that do not fit each other.
public enum ModelFitError: ModelError, Equatable {
  case vocabularyLargerThanModel(preset: String, pieces: Int, rows: Int)

  public var message: String {
    switch self {
    case .vocabularyLargerThanModel(let preset, let pieces, let rows):
      "the vocabulary of '\(preset)' has \(pieces) word pieces, but its config.json says vocab_size \(rows)"
    }
  }

  public var hint: String? { "vocabulary and weights must be of one model: was a cased one mixed with an uncased one?" }
}
