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
    /// The layer of the variable in KerasHub's files, within the encoder layer; of attention, the projection.
    fileprivate let kerasLayer: String
    /// The index of the variable in its layer.
    fileprivate let kerasIndex: Int
    /// The number of heads of an attention projection; nil for other parameters.
    fileprivate let heads: Int?

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

    /// The names of the variable's layer in the versions of Keras.
    private var kerasLayers: [String] {
      let prefix =
        if case .layer(let index) = part {
          "transformer_encoder" + (index == 0 ? "/" : "_\(index)/")
        } else {
          ""
        }
      guard heads != nil else { return [prefix + kerasLayer] }
      return ["", "_"].map { prefix + "_self_attention_layer/" + $0 + kerasLayer + "_dense" }
    }

    /// Attention has `EinsumDense` kernels: [dim, heads, head width] for queries, keys and values, [heads, head width,
    /// dim] for the output.
    private var kerasShape: [Int] {
      let isKernel = specification.role == .kernel
      guard let heads else { return isKernel ? shape.reversed() : shape }
      let (width, split) = (shape[0], [heads, shape[0] / max(1, heads)])
      if kerasLayer == "output" { return isKernel ? split + [width] : [width] }
      return isKernel ? [width] + split : split
    }
  }

  let rows: [Row]

  /// The word embedding, which is also the output matrix of most models.
  static let wordEmbeddings = Module.wordEmbeddings + ".weight"
  /// The output matrix. It is not written if it is the word embedding.
  static let projector = Module.projector + ".weight"
  /// The bias that the head adds to the scores.
  static let projectorBias = Module.projector + ".bias"

  /// The number of elements of all parameters, and of those of the encoder.
  var counts: (backbone: Int, all: Int) {
    rows.reduce(into: (0, 0)) { counts, row in
      counts.1 += row.count
      if row.isBackbone { counts.0 += row.count }
    }
  }

  var specifications: [TensorSpecification] { rows.map(\.specification) }
  var backbone: [Row] { rows.filter(\.isBackbone) }
  var head: [Row] { rows.filter { !$0.isBackbone } }

  subscript(name: String) -> Row? { rows.first { $0.name == name } }

  init(_ configuration: Configuration) {
    var table = Builder(configuration)
    table.embedding(Module.wordEmbeddings, .vocabulary, keras: "token_and_position_embedding/token_embedding")
    table.embedding(Module.positionEmbeddings, .positions, keras: "token_and_position_embedding/position_embedding")
    table.norm(Module.embeddingNorm, keras: "layer_normalization")
    for index in 0..<max(0, configuration.numLayers) {
      table.part = .layer(index)
      let layer = Module.layer(index)
      let heads = configuration.numHeads
      table.dense(layer.query, .hidden, .hidden, keras: "query", heads: heads)
      table.dense(layer.key, .hidden, .hidden, keras: "key", heads: heads)
      table.dense(layer.value, .hidden, .hidden, keras: "value", heads: heads)
      table.dense(layer.attentionOutput, .hidden, .hidden, keras: "output", heads: heads)
      table.norm(layer.attentionNorm, keras: "_self_attention_layer_norm")
      table.dense(layer.first, .intermediate, .hidden, keras: "_feedforward_intermediate_dense")
      table.dense(layer.second, .hidden, .intermediate, keras: "_feedforward_output_dense")
      table.norm(layer.outputNorm, keras: "_feedforward_layer_norm")
    }
    table.part = .head
    table.dense(Module.transform, .hidden, .hidden, keras: "masked_lm_head/_intermediate_dense")
    table.norm(Module.headNorm, keras: "masked_lm_head/_intermediate_layer_norm")
    // In KerasHub's files the head's own kernel, if any, comes before its bias.
    if !configuration.tiesWeights {
      table.add(Self.projector, [.vocabulary, .hidden], .kernel, keras: "masked_lm_head", 0)
    }
    table.add(Self.projectorBias, [.vocabulary], .bias, keras: "masked_lm_head", configuration.tiesWeights ? 0 : 1)
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

    /// Adds a parameter; its Keras names are made when they are needed, as most runs need none.
    mutating func add(
      _ name: String, _ axes: [Dimension], _ role: TensorSpecification.Role, keras layer: String, _ index: Int,
      heads: Int? = nil
    ) {
      rows.append(
        Row(
          specification: TensorSpecification(name: name, shape: axes.map(size), role: role), part: part, axes: axes,
          kerasLayer: layer, kerasIndex: index, heads: heads))
    }

    mutating func embedding(_ module: String, _ rows: Dimension, keras layer: String) {
      add(module + ".weight", [rows, .hidden], .embedding, keras: layer, 0)
    }

    mutating func norm(_ module: String, keras layer: String) {
      add(module + ".weight", [.hidden], .normGain, keras: layer, 0)
      add(module + ".bias", [.hidden], .normBias, keras: layer, 1)
    }

    /// - Parameter heads: for a projection of attention.
    mutating func dense(
      _ module: String, _ output: Dimension, _ input: Dimension, keras layer: String, heads: Int? = nil
    ) {
      add(module + ".weight", [output, input], .kernel, keras: layer, 0, heads: heads)
      add(module + ".bias", [output], .bias, keras: layer, 1, heads: heads)
    }
  }
}

extension Configuration {
  /// The parameters of a model of this configuration.
  var parameterTable: ParameterTable { ParameterTable(self) }
}
