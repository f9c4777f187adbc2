import Tensor

/// The parameters of a model, in the order of computation: their names, shapes and roles, and their names in the files
/// of Hugging Face and KerasHub.
///
/// An output matrix shared with the word embedding has no row of its own. (transformers:
/// `DistilBertForMaskedLM.state_dict`.)
package struct ParameterTable: Sendable {
  /// The quantity that an axis of a parameter counts.
  enum Dimension { case vocabulary, positions, hidden, intermediate }

  /// The part of the model that a parameter belongs to.
  enum Part: Equatable {
    case embeddings, head
    /// An encoder layer, counted from 0.
    case layer(Int)
  }

  /// One parameter.
  struct Row: Sendable {
    /// The name in Hugging Face's files, the shape and the role.
    let specification: TensorSpecification
    let part: Part
    /// One dimension per axis of the shape.
    let axes: [Dimension]
    fileprivate let kerasLayers: [String]
    fileprivate let kerasIndex: Int
    fileprivate let kerasShape: [Int]

    var name: String { specification.name }
    var shape: [Int] { specification.shape }
    var count: Int { specification.count }
    /// Whether it belongs to the encoder (`DistilBertBackbone`), not to the head.
    var isBackbone: Bool { part != .head }

    /// The variable in KerasHub's files.
    var keras: KerasVariable {
      KerasVariable(
        paths: KerasVariable.roots.flatMap { root in kerasLayers.map { "\(root)/\($0)/vars/\(kerasIndex)" } },
        shape: kerasShape, isTransposed: specification.role == .kernel)
    }
  }

  let rows: [Row]

  /// The word embedding, which is also the output matrix of most models.
  static let wordEmbeddings = Module.wordEmbeddings + ".weight"
  /// The output matrix. It is not written if it is the word embedding.
  static let projector = Module.projector + ".weight"
  /// The bias that the head adds to the scores.
  static let projectorBias = Module.projector + ".bias"

  var specifications: [TensorSpecification] { rows.map(\.specification) }
  var backbone: [Row] { rows.filter(\.isBackbone) }
  var head: [Row] { rows.filter { !$0.isBackbone } }

  subscript(name: String) -> Row? { rows.first { $0.name == name } }

  init(_ configuration: Configuration) {
    var table = Builder(configuration)
    let embedding = "token_and_position_embedding/"
    table.embedding(Module.wordEmbeddings, .vocabulary, keras: embedding + "token_embedding")
    table.embedding(Module.positionEmbeddings, .positions, keras: embedding + "position_embedding")
    table.norm(Module.embeddingNorm, keras: "layer_normalization")
    for index in 0..<max(0, configuration.numLayers) {
      table.part = .layer(index)
      let layer = Module.layer(index)
      let keras = index == 0 ? "transformer_encoder/" : "transformer_encoder_\(index)/"
      table.attention(layer.query, keras: keras, "query")
      table.attention(layer.key, keras: keras, "key")
      table.attention(layer.value, keras: keras, "value")
      table.attention(layer.attentionOutput, keras: keras, "output")
      table.norm(layer.attentionNorm, keras: keras + "_self_attention_layer_norm")
      table.dense(layer.first, .intermediate, .hidden, keras: keras + "_feedforward_intermediate_dense")
      table.dense(layer.second, .hidden, .intermediate, keras: keras + "_feedforward_output_dense")
      table.norm(layer.outputNorm, keras: keras + "_feedforward_layer_norm")
    }
    table.part = .head
    table.dense(Module.transform, .hidden, .hidden, keras: "masked_lm_head/_intermediate_dense")
    table.norm(Module.headNorm, keras: "masked_lm_head/_intermediate_layer_norm")
    // In KerasHub's files the head's own kernel, if any, comes before its bias.
    if !configuration.tiesWeights {
      table.add(Self.projector, [.vocabulary, .hidden], .kernel, keras: ["masked_lm_head"], 0)
    }
    table.add(
      Self.projectorBias, [.vocabulary], .bias, keras: ["masked_lm_head"], configuration.tiesWeights ? 0 : 1)
    rows = table.rows
  }
}

extension ParameterTable {
  /// The modules that parameters belong to, by their names in Hugging Face's files.
  enum Module {
    static let wordEmbeddings = "distilbert.embeddings.word_embeddings"
    static let positionEmbeddings = "distilbert.embeddings.position_embeddings"
    static let embeddingNorm = "distilbert.embeddings.LayerNorm"
    static let transform = "vocab_transform"
    static let headNorm = "vocab_layer_norm"
    static let projector = "vocab_projector"

    static func layer(_ index: Int) -> Layer { Layer(prefix: "distilbert.transformer.layer.\(index).") }

    /// The modules of one encoder layer.
    struct Layer {
      fileprivate let prefix: String
      var query: String { prefix + "attention.q_lin" }
      var key: String { prefix + "attention.k_lin" }
      var value: String { prefix + "attention.v_lin" }
      var attentionOutput: String { prefix + "attention.out_lin" }
      var attentionNorm: String { prefix + "sa_layer_norm" }
      var first: String { prefix + "ffn.lin1" }
      var second: String { prefix + "ffn.lin2" }
      var outputNorm: String { prefix + "output_layer_norm" }
    }
  }

  private struct Builder {
    let configuration: Configuration
    var part = Part.embeddings
    var rows: [Row] = []

    init(_ configuration: Configuration) {
      self.configuration = configuration
      rows.reserveCapacity(16 * max(0, configuration.numLayers) + 9)
    }

    private func size(_ dimension: Dimension) -> Int {
      switch dimension {
      case .vocabulary: configuration.vocabularySize
      case .positions: configuration.maxSequenceLength
      case .hidden: configuration.hiddenDim
      case .intermediate: configuration.intermediateDim
      }
    }

    /// - Parameters:
    ///   - layers: the names of the variable's layer in the versions of Keras.
    ///   - index: the variable's index in the layer.
    ///   - kerasShape: the shape in Keras; nil: the shape, reversed for a kernel.
    mutating func add(
      _ name: String, _ axes: [Dimension], _ role: TensorSpecification.Role, keras layers: [String], _ index: Int,
      kerasShape: [Int]? = nil
    ) {
      let shape = axes.map(size)
      rows.append(
        Row(
          specification: TensorSpecification(name: name, shape: shape, role: role), part: part, axes: axes,
          kerasLayers: layers, kerasIndex: index, kerasShape: kerasShape ?? (role == .kernel ? shape.reversed() : shape)
        ))
    }

    mutating func embedding(_ module: String, _ rows: Dimension, keras layer: String) {
      add(module + ".weight", [rows, .hidden], .embedding, keras: [layer], 0)
    }

    mutating func norm(_ module: String, keras layer: String) {
      add(module + ".weight", [.hidden], .normGain, keras: [layer], 0)
      add(module + ".bias", [.hidden], .normBias, keras: [layer], 1)
    }

    mutating func dense(_ module: String, _ output: Dimension, _ input: Dimension, keras layer: String) {
      add(module + ".weight", [output, input], .kernel, keras: [layer], 0)
      add(module + ".bias", [output], .bias, keras: [layer], 1)
    }

    /// Adds a projection of attention. Keras has `EinsumDense` kernels: [dim, heads, head width] for queries, keys and
    /// values, [heads, head width, dim] for the output.
    mutating func attention(_ module: String, keras layer: String, _ projection: String) {
      let layers = ["", "_"].map { layer + "_self_attention_layer/" + $0 + projection + "_dense" }
      let (heads, width) = ([configuration.numHeads, configuration.headDim], configuration.hiddenDim)
      let isOutput = projection == "output"
      add(
        module + ".weight", [.hidden, .hidden], .kernel, keras: layers, 0,
        kerasShape: isOutput ? heads + [width] : [width] + heads)
      add(module + ".bias", [.hidden], .bias, keras: layers, 1, kerasShape: isOutput ? [width] : heads)
    }
  }
}

extension Configuration {
  /// The parameters of a model of this configuration.
  var parameterTable: ParameterTable { ParameterTable(self) }
}
