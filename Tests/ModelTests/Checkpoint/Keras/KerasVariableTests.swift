import Testing

@testable import Model

@Suite struct KerasVariableTests {
  /// Every tensor has a variable with the same number of elements, and no two share one.
  @Test func complete() {
    let rows = Configuration().parameterTable.rows
    #expect(rows.count == 105)
    #expect(Set(rows.flatMap(\.keras.paths)).count == rows.reduce(0) { $0 + $1.keras.paths.count })
    for row in rows {
      #expect(row.keras.shape.reduce(1, *) == row.count, "\(row.name)")
      #expect(row.keras.isTransposed == (row.specification.role == .kernel), "\(row.name)")
    }
  }

  @Test func attention() {
    let table = Configuration().parameterTable
    let attention = "distilbert.transformer.layer.2.attention."
    let group = "/transformer_encoder_2/_self_attention_layer/"
    #expect(
      table[attention + "q_lin.weight"]?.keras.paths == [
        "layers\(group)query_dense/vars/0", "layers\(group)_query_dense/vars/0",
        "_layer_checkpoint_dependencies\(group)query_dense/vars/0",
        "_layer_checkpoint_dependencies\(group)_query_dense/vars/0",
      ])
    #expect(table[attention + "k_lin.weight"]?.keras.shape == [768, 12, 64])
    #expect(table[attention + "v_lin.bias"]?.keras.shape == [12, 64])
    #expect(table[attention + "out_lin.weight"]?.keras.shape == [12, 64, 768])
    #expect(table[attention + "out_lin.bias"]?.keras.shape == [768])
    #expect(
      table["distilbert.transformer.layer.0.sa_layer_norm.bias"]?.keras.path
        == "layers/transformer_encoder/_self_attention_layer_norm/vars/1")
    #expect(table["vocab_projector.bias"]?.keras.path == "layers/masked_lm_head/vars/0")
  }
}
