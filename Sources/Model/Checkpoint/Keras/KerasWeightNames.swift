/// Where KerasHub's files hold a tensor of the model, and how.
struct KerasVariable: Equatable {
  /// The paths under which the versions of Keras store it; a file has one of them.
  let paths: [String]
  /// As it is stored.
  let shape: [Int]
  /// Kernels are stored as [in, out], with the heads of attention as an axis of their own: read as a matrix, the transposed of ours.
  let isTransposed: Bool

  var path: String { paths.first ?? "" }
}

extension Configuration {
  /// The groups that hold a model's layers, in Keras 3 and before it.
  private static let kerasRoots = ["layers", "_layer_checkpoint_dependencies"]

  /// KerasHub's variable for each of `tensors`, by the tensor's name.
  ///
  /// Source: what KerasHub's `save_to_preset` writes. Attention projections are `EinsumDense` kernels: queries, keys and values
  /// [dim, heads, head width], the output [heads, head width, dim].
  var kerasVariables: [String: KerasVariable] {
    var variables: [String: KerasVariable] = [:]
    func add(
      _ tensor: String, _ layers: [String], _ index: Int, _ shape: [Int], isTransposed: Bool = false
    ) {
      let paths = Self.kerasRoots.flatMap { root in layers.map { "\(root)/\($0)/vars/\(index)" } }
      variables[tensor] = KerasVariable(paths: paths, shape: shape, isTransposed: isTransposed)
    }
    func dense(_ tensor: String, _ layers: [String], kernel: [Int], bias: [Int]) {
      add(tensor + ".weight", layers, 0, kernel, isTransposed: true)
      add(tensor + ".bias", layers, 1, bias)
    }
    func norm(_ tensor: String, _ layer: String) {
      add(tensor + ".weight", [layer], 0, [hiddenDim])
      add(tensor + ".bias", [layer], 1, [hiddenDim])
    }
    let embedding = "token_and_position_embedding"
    add(WeightName.wordEmbeddings, [embedding + "/token_embedding"], 0, [vocabularySize, hiddenDim])
    add(
      "distilbert.embeddings.position_embeddings.weight", [embedding + "/position_embedding"], 0,
      [maxSequenceLength, hiddenDim])
    norm("distilbert.embeddings.LayerNorm", "layer_normalization")
    let heads = [numHeads, headDim]
    for layer in 0..<max(0, numLayers) {
      let tensor = "distilbert.transformer.layer.\(layer)."
      let encoder = layer == 0 ? "transformer_encoder/" : "transformer_encoder_\(layer)/"
      for (own, keras) in [("q_lin", "query"), ("k_lin", "key"), ("v_lin", "value"), ("out_lin", "output")] {
        let attention = encoder + "_self_attention_layer/"
        dense(
          tensor + "attention." + own, [attention + keras + "_dense", attention + "_" + keras + "_dense"],
          kernel: keras == "output" ? heads + [hiddenDim] : [hiddenDim] + heads,
          bias: keras == "output" ? [hiddenDim] : heads)
      }
      norm(tensor + "sa_layer_norm", encoder + "_self_attention_layer_norm")
      dense(
        tensor + "ffn.lin1", [encoder + "_feedforward_intermediate_dense"], kernel: [hiddenDim, intermediateDim],
        bias: [intermediateDim])
      dense(
        tensor + "ffn.lin2", [encoder + "_feedforward_output_dense"], kernel: [intermediateDim, hiddenDim],
        bias: [hiddenDim])
      norm(tensor + "output_layer_norm", encoder + "_feedforward_layer_norm")
    }
    dense(
      "vocab_transform", ["masked_lm_head/_intermediate_dense"], kernel: [hiddenDim, hiddenDim], bias: [hiddenDim])
    norm("vocab_layer_norm", "masked_lm_head/_intermediate_layer_norm")
    // The head's own kernel, where it has one, comes before its bias.
    if !tiesWeights {
      add(WeightName.projector, ["masked_lm_head"], 0, [hiddenDim, vocabularySize], isTransposed: true)
    }
    add(WeightName.projectorBias, ["masked_lm_head"], tiesWeights ? 0 : 1, [vocabularySize])
    return variables
  }
}
