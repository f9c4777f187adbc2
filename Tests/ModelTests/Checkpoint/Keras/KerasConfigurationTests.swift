import Testing

@testable import Model
@testable import Text

private func configuration(
  _ config: String, name: String = #""registered_name": "keras_hub>DistilBertBackbone", "#
) throws(CheckpointError) -> Configuration {
  let text = "{\(name)\"class_name\": \"DistilBertBackbone\", \"config\": \(config)}"
  guard let json = try? JSONValue.parse(Array(text.utf8)) else { throw .missingKey(file: "test", key: text) }
  return try Configuration(json: json, file: "config.json")
}

/// The sizes, preceded by more keys: the first of a duplicate key is used.
private func sizes(_ more: String = "") -> String {
  """
  {\(more)"name": "distil_bert_backbone", "trainable": true, "vocabulary_size": 50, "num_layers": 3, "num_heads": 2,
  "hidden_dim": 8, "intermediate_dim": 20, "dropout": 0.2, "max_sequence_length": 16}
  """
}

private func failure(_ config: String) -> CheckpointError? {
  do throws(CheckpointError) {
    _ = try configuration(config)
    return nil
  } catch { return error }
}

@Suite struct KerasConfigurationTests {
  private var expected: Configuration {
    Configuration(
      vocabularySize: 50, hiddenDim: 8, numLayers: 3, numHeads: 2, intermediateDim: 20, maxSequenceLength: 16,
      dropout: 0.2, attentionDropout: 0.2, headLayerNormEpsilon: 1e-5)
  }

  /// The type of the variables, as written by each version of Keras.
  @Test(arguments: [
    "", #""dtype": null, "#, #""dtype": "float32", "#, #""dtype": "mixed_bfloat16", "#,
    #""dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float16"}, "registered_name": null}, "#,
  ])
  func dataTypes(_ type: String) throws {
    #expect(try configuration(sizes(type)) == expected)
  }

  @Test(arguments: [
    #""registered_name": "keras_nlp>DistilBertBackbone", "#, #""registered_name": "DistilBertBackbone", "#,
    #""registered_name": null, "#,
  ])
  func names(_ name: String) throws {
    #expect(try configuration(sizes(), name: name) == expected)
  }

  @Test func defaults() throws {
    let read = try configuration(
      #"{"vocabulary_size": 50, "num_layers": 3, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 20}"#)
    #expect(read.maxSequenceLength == 512 && read.dropout == 0.1 && read.attentionDropout == 0.1)
    #expect(read.activation == .gelu && read.layerNormEpsilon == 1e-12)
  }

  /// Written as Hugging Face's file, with the epsilon of the head, and none of KerasHub's keys.
  @Test func comesBackAsHuggingFaces() throws {
    let read = try configuration(sizes())
    let json = try JSONValue.parse(read.fileBytes)
    #expect(json["registered_name"] == nil && json["config"] == nil && json["model_type"]?.string == "distilbert")
    let again = try Configuration(json: json, file: "f")
    #expect(
      again.headLayerNormEpsilon == 1e-5 && again.parameterTable.specifications == read.parameterTable.specifications)
    #expect(again.dropout == 0.2 && again.attentionDropout == 0.2)
    #expect(again.notesOnWriting.count == 1 && again.notesOnWriting == read.notesOnWriting)
    #expect(again.notesOnWriting.first?.contains("1e-12") == true)
    #expect(Configuration().notesOnWriting.isEmpty)
  }

  @Test func errors() {
    let file = "config.json"
    #expect(throws: CheckpointError.otherKerasModel(file: file, found: "BertBackbone")) {
      try configuration(sizes(), name: #""registered_name": "keras_hub>BertBackbone", "#)
    }
    #expect(failure("[]") == .wrongKind(file: file, key: "config", expected: "an object", found: "an array"))
    #expect(failure("{}") == .missingKey(file: file, key: "vocabulary_size"))
    #expect(
      failure(#"{"vocabulary_size": 9, "num_layers": null}"#) == .missingKey(file: file, key: "num_layers"))
    #expect(
      failure(sizes(#""num_heads": "2", "#).replacing(#""num_heads": 2,"#, with: ""))
        == .wrongKind(file: file, key: "num_heads", expected: "a whole number", found: "a string"))
    #expect(
      failure(sizes().replacing(#""num_heads": 2"#, with: #""num_heads": 3"#))
        == .headsDoNotDivide(file: file, dim: 8, heads: 3))
    #expect(
      failure(sizes().replacing(#""num_layers": 3"#, with: #""num_layers": 0"#))
        == .outOfRange(file: file, key: "num_layers", value: "0", range: "a whole number from 1 to 1024"))
    #expect(
      failure(sizes().replacing("0.2", with: "1"))
        == .outOfRange(file: file, key: "dropout", value: "1", range: "a rate below 1"))
    #expect(throws: CheckpointError.missingKey(file: file, key: "config")) {
      try Configuration(json: JSONValue.parse(Array(#"{"registered_name": "DistilBertBackbone"}"#.utf8)), file: file)
    }
    let other = CheckpointError.otherKerasModel(file: file, found: "BertBackbone")
    #expect(other.message == "config.json: the preset's class is 'BertBackbone', expected 'DistilBertBackbone'")
    #expect(CheckpointError.missingKey(file: file, key: "k").message == "config.json: missing key 'k'")
  }
}
