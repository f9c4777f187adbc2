import Text

/// The sizes and rates of a DistilBERT model. Names follow KerasHub's DistilBertBackbone, in Swift's case; the keys of
/// Hugging Face's config.json stand beside them.
public struct Configuration: Sendable, Equatable {
  /// The function between the two layers of feed-forward, and in the head (`activation`).
  public enum Activation: String, Sendable {
    /// The exact form, with erf.
    case gelu
    /// max(0, x).
    case relu
  }

  /// Word pieces in the vocabulary (`vocab_size`).
  public var vocabularySize: Int
  /// The width of the model (`dim`).
  public var hiddenDim: Int
  /// Encoder layers (`n_layers`).
  public var numLayers: Int
  /// Attention heads in each layer (`n_heads`); they divide `hiddenDim`.
  public var numHeads: Int
  /// The inner width of the feed-forward blocks (`hidden_dim`).
  public var intermediateDim: Int
  /// Rows of the position table (`max_position_embeddings`).
  public var maxSequenceLength: Int
  /// Dropout of embeddings and of what layers add, 0 ..< 1 (`dropout`).
  public var dropout: Float
  /// Dropout of attention probabilities (`attention_dropout`).
  public var attentionDropout: Float
  /// The function between the two layers of feed-forward (`activation`).
  public var activation: Activation
  /// ε of every LayerNorm of the backbone.
  public var layerNormEpsilon: Float
  /// ε of the head's LayerNorm: 1e-12 in Hugging Face's models, 1e-5 in KerasHub's.
  public var headLayerNormEpsilon: Float
  /// Standard deviation of new weights (`initializer_range`).
  public var initializerRange: Float
  /// Whether the output matrix is the word embedding (`tie_word_embeddings`). Weights that hold an output matrix of their own decide it,
  /// whatever the file says: `ResolvedWeights.configuration`.
  public var tiesWeights: Bool
  /// The word piece that pads (`pad_token_id`).
  public var paddingTokenID: Int?
  /// Everything that config.json held, to be written back.
  var source: JSONValue

  /// The defaults are those of transformers' DistilBertConfig: the base uncased model.
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

  /// The largest sizes that are read and made: larger ones are slips, or attacks.
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

  /// The numbers of the model; an output matrix that is the word embedding is counted once.
  public var parameterCount: Int { parameterTable.rows.reduce(0) { $0 + $1.count } }
  /// The numbers of the encoder alone.
  public var backboneParameterCount: Int { parameterTable.backbone.reduce(0) { $0 + $1.count } }
}
