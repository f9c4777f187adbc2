/// The encoder of a model: tokens to hidden states (KerasHub: `DistilBertBackbone`).
public final class DistilBertBackbone {
  private let network: Network
  private let compute: Compute

  init(_ network: Network, _ compute: Compute) {
    self.network = network
    self.compute = compute
  }

  public var configuration: Configuration { network.configuration }

  /// Whether `fit` moves the encoder's parameters. The token embedding is one of them; the head, which shares it, then trains its
  /// dense layer, its norm and its bias alone. A frozen backbone keeps no activations and runs no backward.
  public var isTrainable: Bool {
    get { network.trainsBackbone }
    set { network.trainsBackbone = newValue }
  }

  /// The hidden states of the last layer: [sample][token][width], padded tokens left out.
  public func callAsFunction(_ features: MaskedLMFeatures) throws(PreprocessorError) -> [[[Float]]] {
    let samples = try features.samples(
      vocabularySize: configuration.vocabularySize, maximumLength: configuration.maxSequenceLength)
    let batch = Batch.inference(samples)
    return compute.joint.temporary {
      let states = network.backbone.predict(batch, allRows: true, compute.joint)
      return samples.indices.map { sample in
        batch.tokens.range(sample).map { Array(UnsafeBufferPointer(start: states[$0], count: states.columns)) }
      }
    }
  }
}
