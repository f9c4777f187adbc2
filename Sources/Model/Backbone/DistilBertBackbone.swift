import Files
import Hub

/// DistilBERT's encoder: tokens to hidden states (Sanh et al. 2019; KerasHub: `DistilBertBackbone`).
///
///     let backbone = try DistilBertBackbone.fromPreset("distil_bert_base_en_uncased")
///     let states = try backbone(tokenIDs: [[101, 7592, 102]])              // [sample][token][width]
///
/// That of a model (`DistilBertMaskedLM.backbone`) is the model's own: what `fit` changes shows in it.
///
/// It computes one call at a time, and a model and its backbone count as one: a call while another thread computes throws
/// `ModelUseError.inUse`. It is not `Sendable`, so that the compiler, too, keeps it to one task.
public final class DistilBertBackbone {
  let network: Network
  let compute: Compute
  /// Where new weights come from.
  let seed: UInt64
  /// Whether a model has been made of it.
  var belongsToModel: Bool

  init(_ network: Network, _ compute: Compute, seed: UInt64, belongsToModel: Bool) {
    self.network = network
    self.compute = compute
    self.seed = seed
    self.belongsToModel = belongsToModel
  }

  /// An encoder of random weights. The first seven arguments are KerasHub's, with its defaults.
  ///
  /// - Parameters:
  ///   - vocabularySize: word pieces.
  ///   - numLayers: encoder layers.
  ///   - numHeads: attention heads in each layer; they divide `hiddenDim`.
  ///   - hiddenDim: the width of the hidden states.
  ///   - intermediateDim: the inner width of the feed-forward blocks.
  ///   - dropout: the rate of every dropout, 0 ..< 1. It counts in `fit` alone.
  ///   - maxSequenceLength: the most tokens of a sample, [CLS] and [SEP] counted.
  ///   - seed: every random choice comes from it.
  ///   - threads: threads to compute with.
  /// - Throws: `ConfigurationError` where the sizes make no model.
  public convenience init(
    vocabularySize: Int, numLayers: Int, numHeads: Int, hiddenDim: Int, intermediateDim: Int, dropout: Float = 0.1,
    maxSequenceLength: Int = 512, seed: UInt64 = 0, threads: Int = DistilBertMaskedLM.defaultThreads
  ) throws {
    let configuration = Configuration(
      vocabularySize: vocabularySize, hiddenDim: hiddenDim, numLayers: numLayers, numHeads: numHeads,
      intermediateDim: intermediateDim, maxSequenceLength: maxSequenceLength, dropout: dropout,
      attentionDropout: dropout)
    try configuration.validate()
    let compute = Compute(threads: threads)
    self.init(
      try Network(random: configuration, seed: seed, on: compute.pool), compute, seed: seed, belongsToModel: false)
  }

  /// The encoder of a preset (KerasHub: `DistilBertBackbone.from_preset`); its head, if it has one, is left out. What is missing in the
  /// hub's cache is fetched.
  ///
  /// - Parameters:
  ///   - preset: a model directory, a name in the registry, or `hf://OWNER/NAME[@REVISION]`.
  ///   - loadWeights: false: the architecture with random weights from the seed.
  ///   - seed: every random choice comes from it.
  ///   - threads: threads to compute with.
  ///   - hub: how the hub is reached; by default as the environment says (`Hub.fromEnvironment`).
  /// - Throws: `PresetError`, `HubError`, `FileError`, `CheckpointError`: what is missing or does not fit, and what to do.
  public static func fromPreset(
    _ preset: String, loadWeights: Bool = true, seed: UInt64 = 0, threads: Int = DistilBertMaskedLM.defaultThreads,
    hub: Hub = .fromEnvironment
  ) throws -> DistilBertBackbone {
    let (resolved, stored) = try PresetRegistry.builtIn().resolve(preset, hub: hub, loadWeights: loadWeights) {
      ($0, try $0.loadWeights())
    }
    let compute = Compute(threads: threads)
    let network =
      if let weights = stored?.ofBackbone {
        try Network(weights.configuration, weights, seed: seed, on: compute.pool)
      } else {
        try Network(random: resolved.configuration.withNewHead, seed: seed, on: compute.pool)
      }
    return DistilBertBackbone(network, compute, seed: seed, belongsToModel: false)
  }

  /// Its sizes and rates.
  public var configuration: Configuration { network.configuration }

  /// Whether `fit` moves the encoder's parameters (Keras: `trainable`). The token embedding is one of them; the head, which shares it,
  /// then trains its dense layer, its norm and its bias alone. A frozen backbone keeps no activations and runs no backward.
  public var isTrainable: Bool {
    get { network.trainsBackbone }
    set { network.trainsBackbone = newValue }
  }

  /// The hidden states of the last layer: [sample][token][width], padded tokens left out. The mask positions play no part.
  ///
  /// - Throws: `PreprocessorError` with the sample's index where features do not fit the model; `ModelUseError.inUse`.
  public func callAsFunction(_ features: MaskedLMFeatures) throws -> [[[Float]]] {
    let samples = try features.samples(
      vocabularySize: configuration.vocabularySize, maximumLength: configuration.maxSequenceLength)
    let groups = Batch.groups(
      samples.map { Batch.rows(of: $0, alignment: Batch.inferenceAlignment) }, limit: Compute.microBatchRows)
    let batches = groups.map { Batch.inference(samples[$0]) }
    var results = [[[Float]]](repeating: [], count: samples.count)
    try compute.exclusiveAccess.claim {
      try results.withUnsafeMutableBufferPointer { results in
        nonisolated(unsafe) let results = results
        network.prepare(for: batches, on: compute.pool)
        try compute.forEach(batches) { index, batch, context in
          context.temporary {
            let states = network.backbone.predict(batch, allRows: true, context)
            for sample in 0..<groups[index].count {
              results[groups[index].lowerBound + sample] = batch.tokens.range(sample).map {
                Array(UnsafeBufferPointer(start: states[$0], count: states.columns))
              }
            }
          }
        }
      }
    }
    return results
  }

  /// The same, of KerasHub's input alone.
  ///
  /// - Parameters:
  ///   - tokenIDs: [sample][token].
  ///   - paddingMask: [sample][token]: 1 for a token, 0 for padding. Empty: no padding anywhere.
  public func callAsFunction(tokenIDs: [[Int]], paddingMask: [[Int]] = []) throws -> [[[Float]]] {
    try self(
      MaskedLMFeatures(
        tokenIDs: tokenIDs, paddingMask: paddingMask, maskPositions: tokenIDs.map { _ in [] }))
  }

  /// Its layers, what they put out, and their parameters (Keras: `summary()`).
  public func summary() -> ModelSummary { ModelSummary(backbone: configuration, isTrainable: isTrainable) }
}
