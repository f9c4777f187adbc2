import Foundation
import Testing

@testable import Files
@testable import Model
@testable import Text

private func configuration(_ text: String) throws -> Configuration {
  try Configuration(json: JSONValue.parse(Array(text.utf8)), file: "config.json")
}

private func failure(_ members: String) -> CheckpointError? {
  do {
    _ = try configuration("{\"model_type\": \"distilbert\", \(members)}")
    return nil
  } catch { return error as? CheckpointError }
}

/// The official uncased config.json, from its repository at the pinned revision.
private let uncased = """
  {
    "activation": "gelu",
    "architectures": [
      "DistilBertForMaskedLM"
    ],
    "attention_dropout": 0.1,
    "dim": 768,
    "dropout": 0.1,
    "hidden_dim": 3072,
    "initializer_range": 0.02,
    "max_position_embeddings": 512,
    "model_type": "distilbert",
    "n_heads": 12,
    "n_layers": 6,
    "pad_token_id": 0,
    "qa_dropout": 0.1,
    "seq_classif_dropout": 0.2,
    "sinusoidal_pos_embds": false,
    "tie_weights_": true,
    "transformers_version": "4.10.0.dev0",
    "vocab_size": 30522
  }

  """

@Suite struct ConfigurationTests {
  @Test func officialFileComesBackByteForByte() throws {
    let value = try configuration(uncased)
    #expect(uncased.utf8.count == 483)
    #expect(String(decoding: value.fileBytes, as: UTF8.self) == uncased)
    #expect(value.hiddenDim == 768 && value.intermediateDim == 3072 && value.headDim == 64)
    #expect(value.activation == .gelu && value.tiesWeights && value.headLayerNormEpsilon == 1e-12)
  }

  // The figures in the Keras documentation and the sizes of the files.
  @Test(arguments: [
    (30522, 66_362_880, 66_985_530), (28996, 65_190_912, 65_812_036), (119_547, 134_734_080, 135_445_755),
  ])
  func parameterCounts(vocabulary: Int, backbone: Int, whole: Int) {
    let value = Configuration(vocabularySize: vocabulary)
    #expect(value.backboneParameterCount == backbone)
    #expect(value.parameterCount == whole)
  }

  @Test func newFileHasTheKeysOfTheOfficialOne() throws {
    let fresh = Configuration()
    let official = try configuration(uncased)
    #expect(fresh.json.object?.map(\.key) == official.json.object?.map(\.key).filter { $0 != "transformers_version" })
  }

  @Test func aliasesAndDefaults() throws {
    let value = try configuration(
      #"{"model_type": "distilbert", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "dropout": null}"#
    )
    #expect(value.hiddenDim == 8 && value.numLayers == 1 && value.numHeads == 2)
    #expect(value.vocabularySize == 30522 && value.intermediateDim == 3072 && value.maxSequenceLength == 512)
    #expect(value.dropout == 0.1)
    #expect(value.json["dim"]?.int == 8 && value.json["hidden_size"] == nil)
  }

  @Test func unknownKeysAreWrittenBack() throws {
    let value = try configuration(
      #"{"model_type":"distilbert","id2label":{"0":"é"},"big":1000000000000000019884624838656,"tiny":1.50e-7,"n_layers":2.0}"#
    )
    let json = try JSONValue.parse(value.fileBytes)
    #expect(json["id2label"]?["0"]?.string == "é")
    #expect(json["big"] == .number(1e30, literal: "1000000000000000019884624838656"))
    #expect(json["tiny"] == .number(1.5e-7, literal: "1.50e-7"))
    #expect(json["architectures"] == .array([.string("DistilBertForMaskedLM")]))
  }

  @Test func writtenTypeAndTying() throws {
    let value = try configuration(
      #"{"model_type":"distilbert","dtype":"bfloat16","tie_word_embeddings":false,"tie_weights_":true,"bos_token_id":null}"#
    )
    #expect(!value.tiesWeights)
    #expect(value.json["dtype"]?.string == "float32")
    #expect(value.json["tie_word_embeddings"]?.bool == false && value.json["tie_weights_"]?.bool == false)
    #expect(value.json["bos_token_id"]?.isNull == true)
    // No tool applies the older key.
    let old = try configuration(#"{"model_type":"distilbert","tie_weights_":false}"#)
    #expect(old.tiesWeights && old.json["tie_weights_"]?.bool == true && old.json["tie_word_embeddings"] == nil)
    var untied = old
    untied.tiesWeights = false
    #expect(untied.json["tie_word_embeddings"]?.bool == false)
    #expect(try configuration(String(decoding: untied.fileBytes, as: UTF8.self)).tiesWeights == false)
  }

  @Test func remembersTheEpsilonOfItsEcosystem() throws {
    let value = Configuration(headLayerNormEpsilon: 1e-5)
    let again = try Configuration(json: JSONValue.parse(value.fileBytes), file: "config.json")
    #expect(again.headLayerNormEpsilon == 1e-5)
    #expect(
      again
        == {
          var copy = value; copy.source = again.source; return copy
        }())
    #expect(Configuration().json[Configuration.headEpsilonKey] == nil)
  }

  @Test func changesAreWritten() throws {
    var value = try configuration(uncased)
    value.dropout = 0.25
    value.maxSequenceLength = 128
    #expect(value.json["dropout"] == .number(0.25, literal: "0.25"))
    #expect(value.json["max_position_embeddings"]?.int == 128)
  }

  @Test func refuses() {
    #expect(throws: CheckpointError.notAnObject(file: "config.json", found: "an array")) { try configuration("[]") }
    #expect(throws: CheckpointError.missingModelType(file: "config.json")) { try configuration("{}") }
    #expect(throws: CheckpointError.otherModelType(file: "config.json", found: "bert")) {
      try configuration(#"{"model_type":"bert"}"#)
    }
    #expect(failure(#""dim": 10, "n_heads": 3"#) == .headsDoNotDivide(file: "config.json", dim: 10, heads: 3))
    #expect(failure(#""activation": "silu""#) == .unknownActivation(file: "config.json", name: "silu"))
    #expect(
      failure(#""dim": 8, "hidden_size": 16"#)
        == .disagreeing(file: "config.json", key: "dim", value: 8, alias: "hidden_size", other: 16))
    #expect(
      failure(#""vocab_size": 16777216, "dim": 65536, "n_heads": 1"#)
        .map { if case .tooManyParameters = $0 { true } else { false } } == true)
  }

  @Test(arguments: [
    "\"dim\": -1", "\"dim\": 0", "\"dim\": 1e18", "\"dim\": 1e400", "\"dim\": 7.5", "\"dim\": 99999999999999999999",
    "\"vocab_size\": 4294967296", "\"n_layers\": -9223372036854775808", "\"n_heads\": 0", "\"hidden_dim\": 0",
    "\"max_position_embeddings\": 0", "\"dropout\": 1", "\"dropout\": -0.1", "\"attention_dropout\": 1e400",
    "\"initializer_range\": -1", "\"pad_token_id\": -1", "\"pad_token_id\": 30522",
  ])
  func refusesSizesAndRatesOutOfRange(_ member: String) {
    guard case .outOfRange = failure(member) else {
      Issue.record("\(member): \(String(describing: failure(member)))")
      return
    }
  }

  @Test(arguments: [
    "\"dim\": \"768\"", "\"dim\": []", "\"dropout\": true", "\"activation\": 1", "\"tie_word_embeddings\": 1",
    "\"pad_token_id\": \"0\"",
  ])
  func refusesOtherKinds(_ member: String) {
    guard case .wrongKind = failure(member) else {
      Issue.record("\(member): \(String(describing: failure(member)))")
      return
    }
  }

  @Test func missingFile() {
    #expect(throws: FileError.missing(path: "/no/config.json")) { try Configuration.load(file: "/no/config.json") }
  }
}
