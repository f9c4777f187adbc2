import Files
import Hub

extension DistilBertMaskedLM {
  /// Loads a preset: a model directory, a name in the registry, or `hf://OWNER/NAME[@REVISION]` on the hub (KerasHub:
  /// `DistilBertMaskedLM.from_preset`). Downloads files that are missing in the hub's cache.
  ///
  /// - Parameters:
  ///   - loadWeights: false: the preset's architecture and vocabulary, with random weights from the seed.
  ///   - precision: the precision of matrix products. A model of another precision than float32 cannot be trained. nil:
  ///     that of the files: int8 for a directory of quantized weights, otherwise float32.
  ///   - seed: the source of every random choice.
  ///   - threads: the number of threads to compute with.
  ///   - dropout: overrides the model's own rates.
  ///   - hub: the hub's settings, by default those of the environment (`Hub.fromEnvironment`).
  /// - Throws: `PresetError`, `HubError`, `FileError`, `CheckpointError`, `TokenizerError` if something is missing or
  ///   does not fit.
  public static func fromPreset(
    _ preset: String, loadWeights: Bool = true, precision: Precision? = nil, seed: UInt64 = 0,
    threads: Int = DistilBertMaskedLM.defaultThreads, dropout: Float? = nil, hub: Hub = .fromEnvironment
  ) throws -> DistilBertMaskedLM {
    try PresetRegistry.builtIn().resolve(preset, hub: hub, loadWeights: loadWeights) {
      try load($0, precision: precision, seed: seed, threads: threads, dropout: dropout)
    }
  }

  /// Loads a preset with another preprocessor, or with none for preprocessed samples only. The preset's vocabulary is
  /// not read.
  public static func fromPreset(
    _ preset: String, loadWeights: Bool = true, precision: Precision? = nil,
    preprocessor: DistilBertMaskedLMPreprocessor?, seed: UInt64 = 0,
    threads: Int = DistilBertMaskedLM.defaultThreads, hub: Hub = .fromEnvironment
  ) throws -> DistilBertMaskedLM {
    try PresetRegistry.builtIn().resolve(preset, hub: hub, loadWeights: loadWeights) {
      try load(
        $0, preprocessor: preprocessor, precision: precision, seed: seed, threads: threads, dropout: nil, notes: [])
    }
  }

  /// Loads a resolved preset.
  package static func load(
    _ preset: ResolvedPreset, precision: Precision? = nil, seed: UInt64 = 0,
    threads: Int = DistilBertMaskedLM.defaultThreads, dropout: Float? = nil
  ) throws -> DistilBertMaskedLM {
    let tokenizer = try preset.loadTokenizer()
    let configuration = preset.configuration
    guard tokenizer.vocabulary.count <= configuration.vocabularySize else {
      throw CheckpointError.vocabularyLargerThanModel(
        preset: preset.displayName, pieces: tokenizer.vocabulary.count, rows: configuration.vocabularySize)
    }
    var notes = tokenizer.notes
    if tokenizer.vocabulary.count < configuration.vocabularySize {
      // Padding to a round number is common; a larger gap suggests that files of two models were mixed.
      notes.append(
        "the vocabulary has \(tokenizer.vocabulary.count) word pieces, but the model has "
          + "\(configuration.vocabularySize) rows for them; the extra rows are never predicted")
    }
    let preprocessor = try DistilBertMaskedLMPreprocessor(
      tokenizer: tokenizer, sequenceLength: min(512, configuration.maxSequenceLength),
      masking: MaskingOptions(seed: seed))
    return try load(
      preset, preprocessor: preprocessor, precision: precision, seed: seed, threads: threads, dropout: dropout,
      notes: notes)
  }

  private static func load(
    _ preset: ResolvedPreset, preprocessor: DistilBertMaskedLMPreprocessor?, precision: Precision?, seed: UInt64,
    threads: Int, dropout: Float?, notes: [String]
  ) throws -> DistilBertMaskedLM {
    let compute = Compute(threads: threads)
    var configuration = preset.configuration
    if let dropout { (configuration.dropout, configuration.attentionDropout) = (dropout, dropout) }
    if case .restored = preset.weights {
      return DistilBertMaskedLM(
        try Network(restored: configuration), preprocessor: preprocessor, compute: compute, seed: seed, notes: notes)
    }
    guard let weights = try preset.loadWeights() else {
      let network = try Network(random: configuration, seed: seed, on: compute.pool)
      network.reduce(to: precision ?? .float32, on: compute.pool)
      return DistilBertMaskedLM(network, preprocessor: preprocessor, compute: compute, seed: seed, notes: notes)
    }
    configuration.tiesWeights = weights.configuration.tiesWeights
    var warnings: [String] = []
    if !weights.hasHead {
      let architecture = preset.configuration.architectures?.first.map { " (a \($0))" } ?? ""
      let isPartial = weights.missing.count < weights.table.head.count
      let head = isPartial ? "only a part of a masked-language-model head" : "no masked-language-model head"
      warnings = [
        "'\(preset.displayName)'\(architecture) has \(head): the missing parts are randomly initialized, "
          + "so no mask can be filled before fit"
      ]
    }
    let chosen = precision ?? (weights.areQuantized ? .int8 : .float32)
    var allNotes = weights.notes + notes
    if weights.areQuantized, chosen != .int8 {
      allNotes.append(
        "'\(preset.displayName)' has int8 weights, computed here in \(chosen.rawValue); this restores no lost precision"
      )
    }
    let network = try Network(configuration, weights, precision: chosen, seed: seed, on: compute.pool)
    return DistilBertMaskedLM(
      network, preprocessor: preprocessor, compute: compute, seed: seed, notes: allNotes, warnings: warnings)
  }
}

extension ResolvedPreset {
  /// Loads the tokenizer without reading the weights.
  package func loadTokenizer() throws -> WordPieceTokenizer {
    switch tokenizer {
    case .directory(let path):
      return try reading { try WordPieceTokenizer.load(directory: path, lowercase: isLowercase) }
    case .embedded(let preset): return try preset.loadTokenizer(lowercase: isLowercase ?? true)
    }
  }

  /// Maps and checks the weights; returns nil if they are random.
  func loadWeights() throws -> ResolvedWeights? {
    switch weights {
    case .random, .restored: return nil
    case .embedded(let preset): return try preset.loadWeights(configuration)
    case .directory(let path):
      let weights = try reading { try ModelDirectory.open(path).weights }
      guard let weights else { throw CheckpointError.noWeights(path: path) }
      return weights
    }
  }
}
