/// A tensor of DistilBertForMaskedLM: its name in Hugging Face's files and what it is.
public struct TensorSpecification: Sendable, Equatable {
  /// What a tensor is for; by it, it is initialized and decays.
  public enum Role: Sendable {
    /// Rows that are looked up.
    case embedding
    /// The matrix of a dense layer, [out, in].
    case kernel
    /// What a dense layer adds.
    case bias
    /// What a LayerNorm multiplies by.
    case normGain
    /// What a LayerNorm adds.
    case normBias
  }

  /// Its name in Hugging Face's files.
  public let name: String
  /// Dense kernels are [out, in].
  public let shape: [Int]
  /// What it is for.
  public let role: Role
  /// Whether it belongs to the encoder (`DistilBertBackbone`) and not to the head.
  public let isBackbone: Bool

  /// The number of its elements.
  public var count: Int { shape.reduce(1, *) }
  /// Whether weight decay applies: not to biases and LayerNorm.
  public var decays: Bool { role == .embedding || role == .kernel }
}

/// The names that weights have in files.
public enum WeightName {
  /// The word embedding, which is the output matrix of most models, too.
  public static let wordEmbeddings = "distilbert.embeddings.word_embeddings.weight"
  /// The output matrix. Where it is the word embedding, it is not written.
  public static let projector = "vocab_projector.weight"
  /// What the head adds to the scores.
  static let projectorBias = "vocab_projector.bias"
}

extension Configuration {
  /// The tensors of the model, in the order of the computation: the ones that are written, without an output matrix that is tied.
  public var tensors: [TensorSpecification] {
    var list: [TensorSpecification] = []
    list.reserveCapacity(16 * numLayers + 9)
    func add(_ name: String, _ shape: [Int], _ role: TensorSpecification.Role, isBackbone: Bool = true) {
      list.append(TensorSpecification(name: name, shape: shape, role: role, isBackbone: isBackbone))
    }
    func dense(_ name: String, _ output: Int, _ input: Int, isBackbone: Bool = true) {
      add(name + ".weight", [output, input], .kernel, isBackbone: isBackbone)
      add(name + ".bias", [output], .bias, isBackbone: isBackbone)
    }
    func norm(_ name: String, isBackbone: Bool = true) {
      add(name + ".weight", [hiddenDim], .normGain, isBackbone: isBackbone)
      add(name + ".bias", [hiddenDim], .normBias, isBackbone: isBackbone)
    }
    add(WeightName.wordEmbeddings, [vocabularySize, hiddenDim], .embedding)
    add("distilbert.embeddings.position_embeddings.weight", [maxSequenceLength, hiddenDim], .embedding)
    norm("distilbert.embeddings.LayerNorm")
    for layer in 0..<max(0, numLayers) {
      let layer = "distilbert.transformer.layer.\(layer)."
      for name in ["q_lin", "k_lin", "v_lin", "out_lin"] { dense(layer + "attention." + name, hiddenDim, hiddenDim) }
      norm(layer + "sa_layer_norm")
      dense(layer + "ffn.lin1", intermediateDim, hiddenDim)
      dense(layer + "ffn.lin2", hiddenDim, intermediateDim)
      norm(layer + "output_layer_norm")
    }
    dense("vocab_transform", hiddenDim, hiddenDim, isBackbone: false)
    norm("vocab_layer_norm", isBackbone: false)
    if !tiesWeights { add(WeightName.projector, [vocabularySize, hiddenDim], .kernel, isBackbone: false) }
    add(WeightName.projectorBias, [vocabularySize], .bias, isBackbone: false)
    return list
  }
}

/// The weights of a model as they were found in files: under their own names, checked, in the order of
/// `Configuration.tensors`.
public struct ResolvedWeights: Sendable {
  /// That of config.json, tied or not as the weights are.
  public let configuration: Configuration
  /// What a model of that configuration needs.
  public let specifications: [TensorSpecification]
  /// As many as `specifications`; nil where a tensor of the head is missing and must be initialized.
  public let tensors: [TensorView?]
  /// What a person should know: ignored tensors, a missing head. Each one line.
  public let notes: [String]

  init(_ configuration: Configuration, _ found: [String: TensorView], notes: [String]) {
    self.configuration = configuration
    specifications = configuration.tensors
    tensors = specifications.map { found[$0.name] }
    self.notes = notes
  }

  /// The tensors of the head that must be initialized.
  public var missing: [TensorSpecification] { zip(specifications, tensors).compactMap { $1 == nil ? $0 : nil } }

  /// Whether the files hold a head. The bias of the scores may be missing: it is zero then.
  public var hasHead: Bool { missing.allSatisfy { $0.name == WeightName.projectorBias } }

  /// The tensor of that name; nil where it is missing, or no model has it.
  public subscript(_ name: String) -> TensorView? {
    for (specification, tensor) in zip(specifications, tensors) where specification.name == name { return tensor }
    return nil
  }

  /// The same without a head, which is then initialized: a new one shares the word embedding.
  var ofBackbone: ResolvedWeights {
    let found = zip(specifications, tensors).compactMap { $0.isBackbone ? ($0.name, $1) : nil }
    return ResolvedWeights(
      configuration.withNewHead, Dictionary(uniqueKeysWithValues: found).compactMapValues(\.self), notes: notes)
  }
}

extension Configuration {
  /// That of a model with a head that is made anew, as KerasHub and transformers make it: over the word embedding.
  var withNewHead: Configuration {
    var configuration = self
    configuration.tiesWeights = true
    return configuration
  }
}
