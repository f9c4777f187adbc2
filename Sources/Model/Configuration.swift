import Text

/// The sizes and rates of a DistilBERT model. Names follow KerasHub's DistilBertBackbone, in Swift's case; the key of
/// Hugging Face's config.json is in parentheses.
public struct Configuration: Sendable, Equatable {
  /// The activation function of the feed-forward blocks and the head (`activation`).
  public enum Activation: String, Sendable {
    /// The exact GELU, with erf.
    case gelu
    /// max(0, x).
    case relu
  }

  /// The number of word pieces in the vocabulary (`vocab_size`).
  public var vocabularySize: Int
  /// The width of the model (`dim`).
  public var hiddenDim: Int
  /// The number of encoder layers (`n_layers`).
  public var numLayers: Int
  /// The number of attention heads in each layer, a divisor of `hiddenDim` (`n_heads`).
  public var numHeads: Int
  /// The inner width of the feed-forward blocks (`hidden_dim`).
  public var intermediateDim: Int
  /// The number of rows of the position table (`max_position_embeddings`).
  public var maxSequenceLength: Int
  /// The dropout rate of the embeddings and of the output of attention and feed-forward, 0 ..< 1 (`dropout`).
  public var dropout: Float
  /// The dropout rate of attention probabilities, 0 ..< 1 (`attention_dropout`).
  public var attentionDropout: Float
  /// The activation function of the feed-forward blocks and the head (`activation`).
  public var activation: Activation
  /// The ε of every LayerNorm of the backbone.
  public var layerNormEpsilon: Float
  /// The ε of the head's LayerNorm: 1e-12 in Hugging Face's models, 1e-5 in KerasHub's.
  public var headLayerNormEpsilon: Float
  /// The standard deviation of new weights (`initializer_range`).
  public var initializerRange: Float
  /// Whether the output matrix is the word embedding (`tie_word_embeddings`). An output matrix in the weights overrides
  /// the file: `ResolvedWeights.configuration`.
  public var tiesWeights: Bool
  /// The id of the padding token (`pad_token_id`).
  public var paddingTokenID: Int?
  /// The contents of config.json, to be written back.
  var source: JSONValue

  /// Creates a configuration. The defaults are those of transformers' DistilBertConfig: the base uncased model.
  public init(
    vocabularySize: Int = 30522, hiddenDim: Int = 768, numLayers: Int = 6, numHeads: Int = 12,
    intermediateDim: Int = 3072, maxSequenceLength: Int = 512, dropout: Float = 0.1, attentionDropout: Float = 0.1,
    activation: Activation = .gelu, headLayerNormEpsilon: Float = 1e-12, initializerRange: Float = 0.02
  ) {
    self.vocabularySize = vocabularySize
    self.hiddenDim = hiddenDim
    self.numLayers = numLayers
    self.numHeads = numHeads
    self.intermediateDim = intermediateDim
    self.maxSequenceLength = maxSequenceLength
    self.dropout = dropout
    self.attentionDropout = attentionDropout
    self.activation = activation
    layerNormEpsilon = 1e-12
    self.headLayerNormEpsilon = headLayerNormEpsilon
    self.initializerRange = initializerRange
    tiesWeights = true
    paddingTokenID = 0
    source = .object([])
  }

  /// The largest sizes that are accepted: larger ones are mistakes or attacks.
  package enum Limit {
    package static let vocabularySize = 1 << 24
    package static let numLayers = 1 << 10
    package static let numHeads = 1 << 16
    package static let hiddenDim = 1 << 16
    package static let intermediateDim = 1 << 20
    package static let maxSequenceLength = 1 << 20
  }

  /// The width of one attention head.
  public var headDim: Int { hiddenDim / max(1, numHeads) }

  /// The number of parameters; a shared word embedding counts once.
  public var parameterCount: Int { parameterTable.counts.all }
  /// The number of the encoder's parameters.
  public var backboneParameterCount: Int { parameterTable.counts.backbone }
}
