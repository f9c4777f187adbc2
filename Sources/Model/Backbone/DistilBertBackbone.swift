import Files
import Hub

/// DistilBERT's encoder, from tokens to hidden states (Sanh et al. 2019; KerasHub: `DistilBertBackbone`).
///
///     let backbone = try DistilBertBackbone.fromPreset("distil_bert_base_en_uncased")
///     let states = try backbone(tokenIDs: [[101, 7592, 102]])              // [sample][token][width]
///
/// The backbone of a model (`DistilBertMaskedLM.backbone`) shares the model's parameters, so `fit` changes it too.
///
/// A model and its backbone compute one call at a time: a call while another thread computes throws
/// `ModelUseError.inUse`. A backbone is not `Sendable`, so the compiler keeps it to one task.
public final class DistilBertBackbone {
  let network: Network
  let compute: Compute
  /// The source of new weights.
  let seed: UInt64
  /// Whether it belongs to a model.
  var belongsToModel: Bool

  init(_ network: Network, _ compute: Compute, seed: UInt64, belongsToModel: Bool) {
    self.network = network
    self.compute = compute
    self.seed = seed
    self.belongsToModel = belongsToModel
  }

  /// Creates an encoder with random weights. The first seven arguments are KerasHub's, with its defaults.
  ///
  /// - Parameters:
  ///   - vocabularySize: the number of word pieces.
  ///   - numLayers: the number of encoder layers.
  ///   - numHeads: the number of attention heads in each layer, a divisor of `hiddenDim`.
  ///   - hiddenDim: the width of the hidden states.
  ///   - intermediateDim: the inner width of the feed-forward blocks.
  ///   - dropout: the rate of every dropout, 0 ..< 1. Only `fit` uses it.
  ///   - maxSequenceLength: the most tokens of a sample, including [CLS] and [SEP].
  ///   - seed: the source of every random choice.
  ///   - threads: the number of threads to compute with.
  /// - Throws: `ConfigurationError` if the sizes or the rate are invalid.
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

  /// Loads the encoder of a preset without its head (KerasHub: `DistilBertBackbone.from_preset`). Downloads files that
  /// are missing in the hub's cache.
  ///
  /// - Parameters:
  ///   - preset: a model directory, a name in the registry, or `hf://OWNER/NAME[@REVISION]`.
  ///   - loadWeights: false: the architecture, with random weights from the seed.
  ///   - seed: the source of every random choice.
  ///   - threads: the number of threads to compute with.
  ///   - hub: the hub's settings, by default those of the environment (`Hub.fromEnvironment`).
  /// - Throws: `PresetError`, `HubError`, `FileError`, `CheckpointError` if something is missing or does not fit.
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

  /// The encoder's sizes and rates.
  public var configuration: Configuration { network.configuration }

  /// Whether `fit` trains the encoder's parameters (Keras: `trainable`). The token embedding is one of them, so with a
  /// frozen backbone the head trains only its dense layer, its norm and its bias. A frozen backbone saves no
  /// activations and runs no backward.
  public var isTrainable: Bool {
    get { network.trainsBackbone }
    set { network.trainsBackbone = newValue }
  }

  /// Returns the hidden states of the last layer, without padding: [sample][token][width]. Ignores the mask positions.
  ///
  /// - Throws: `PreprocessorError` with the sample's index if features do not fit the model; `ModelUseError.inUse`.
  public func callAsFunction(_ features: MaskedLMFeatures) throws -> [[[Float]]] {
    let samples = try features.samples(
      vocabularySize: configuration.vocabularySize, maximumLength: configuration.maxSequenceLength)
    let groups = Batch.groups(
      samples.map { Batch.rows(of: $0, alignment: network.rowAlignment) }, limit: Compute.microBatchRows)
    let batches = groups.map { Batch.inference(samples[$0], alignment: network.rowAlignment) }
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

  /// Returns the hidden states of the last layer for KerasHub's inputs.
  ///
  /// - Parameters:
  ///   - tokenIDs: [sample][token].
  ///   - paddingMask: [sample][token]: 1 for a token, 0 for padding; empty: no padding.
  public func callAsFunction(tokenIDs: [[Int]], paddingMask: [[Int]] = []) throws -> [[[Float]]] {
    try self(
      MaskedLMFeatures(
        tokenIDs: tokenIDs, paddingMask: paddingMask, maskPositions: tokenIDs.map { _ in [] }))
  }

  /// Returns the layers with their output shapes and parameter counts (Keras: `summary()`).
  public func summary() -> ModelSummary { ModelSummary(backbone: configuration, isTrainable: isTrainable) }
}
