import Testing

@testable import Model

@Suite struct KerasWeightNamesTests {
  /// Every tensor has a variable of as many elements, and no two share one.
  @Test func complete() {
    let configuration = Configuration()
    let variables = configuration.kerasVariables
    #expect(variables.count == 105)
    #expect(Set(variables.values.flatMap(\.paths)).count == variables.values.reduce(0) { $0 + $1.paths.count })
    for tensor in configuration.tensors {
      let variable = variables[tensor.name]
      #expect(variable?.shape.reduce(1, *) == tensor.count, "\(tensor.name)")
      #expect(variable?.isTransposed == (tensor.role == .kernel), "\(tensor.name)")
    }
  }

  @Test func attention() {
    let variables = Configuration().kerasVariables
    let attention = "distilbert.transformer.layer.2.attention."
    let group = "/transformer_encoder_2/_self_attention_layer/"
    #expect(
      variables[attention + "q_lin.weight"]?.paths == [
        "layers\(group)query_dense/vars/0", "layers\(group)_query_dense/vars/0",
        "_layer_checkpoint_dependencies\(group)query_dense/vars/0",
        "_layer_checkpoint_dependencies\(group)_query_dense/vars/0",
      ])
    #expect(variables[attention + "k_lin.weight"]?.shape == [768, 12, 64])
    #expect(variables[attention + "v_lin.bias"]?.shape == [12, 64])
    #expect(variables[attention + "out_lin.weight"]?.shape == [12, 64, 768])
    #expect(variables[attention + "out_lin.bias"]?.shape == [768])
    #expect(
      variables["distilbert.transformer.layer.0.sa_layer_norm.bias"]?.path
        == "layers/transformer_encoder/_self_attention_layer_norm/vars/1")
    #expect(variables["vocab_projector.bias"]?.path == "layers/masked_lm_head/vars/0")
  }
}
