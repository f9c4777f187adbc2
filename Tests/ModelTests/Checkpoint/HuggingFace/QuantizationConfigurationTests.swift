import Testing

@testable import Model
@testable import Text

@Suite struct QuantizationConfigurationTests {
  /// Returns what the error says was found; nil if the configuration is supported.
  private func refused(_ text: String) throws -> String? {
    do {
      try QuantizationConfiguration.check(JSONValue.parse(Array(text.utf8)), file: "config.json")
      return nil
    } catch CheckpointError.unsupportedQuantization("config.json", let found) {
      return found
    }
  }

  private func refused(weights: String, format: String = "int-quantized") throws -> String? {
    try refused(
      #"{"quant_method":"compressed-tensors","format":"\#(format)","#
        + #""config_groups":{"group_0":{"targets":["Linear"],"weights":\#(weights)}}}"#)
  }

  @Test(arguments: [
    #"{"num_bits":8,"type":"int","symmetric":true,"strategy":"channel","group_size":null}"#,
    #"{"num_bits":8,"type":"int","symmetric":true,"strategy":"tensor"}"#,
    #"{"num_bits":8,"strategy":"channel","group_size":-1,"dynamic":false,"observer":"minmax"}"#,
    #"{}"#, "null",
  ])
  func read(_ weights: String) throws {
    #expect(try refused(weights: weights) == nil)
    #expect(try refused(weights: weights, format: "naive-quantized") == nil)
  }

  @Test func schemesByName() throws {
    let start = #"{"quant_method":"compressed-tensors","format":"int-quantized","config_groups":"#
    #expect(try refused(start + #"{"W8A8":["Linear"]}}"#) == nil)
    #expect(try refused(start + #"{"W4A16":["Linear"]}}"#) == "compressed-tensors, scheme 'W4A16'")
    #expect(try refused(start + "{}}") == "compressed-tensors, without 'config_groups'")
  }

  @Test(arguments: [
    (#"{"num_bits":4}"#, "4-bit weights"), (#"{"num_bits":"8"}"#, "'8'-bit weights"),
    (#"{"num_bits":8,"type":"float"}"#, "8-bit weights of type 'float'"),
    (#"{"symmetric":false}"#, "asymmetric weights"),
    (#"{"strategy":"group","group_size":128}"#, "weights with scales per group"),
    (#"{"group_size":128}"#, "weights with scales per group"),
    (#"{"strategy":"block","block_structure":[128,128]}"#, "weights with scales per block"),
  ])
  func otherWeights(_ weights: String, _ found: String) throws {
    #expect(try refused(weights: weights) == "compressed-tensors, \(found)")
  }

  @Test(arguments: [
    (#"{"quant_method":"gptq","bits":4}"#, "gptq"), (#"{"quant_method":"awq"}"#, "awq"),
    (#"{"quant_method":"bitsandbytes","load_in_8bit":true}"#, "bitsandbytes"),
    (#"{"load_in_8bit":true}"#, "bitsandbytes"), (#"{"bits":8}"#, "quantization_config without 'quant_method'"),
    ("true", "quantization_config a Boolean"),
    (#"{"quant_method":"compressed-tensors"}"#, "compressed-tensors, format missing"),
    (
      #"{"quant_method":"compressed-tensors","format":"pack-quantized"}"#,
      "compressed-tensors, format 'pack-quantized'"
    ),
    (
      #"{"quant_method":"compressed-tensors","format":"int-quantized","sparsity_config":{"format":"sparse-bitmask"}}"#,
      "compressed-tensors, sparsity format 'sparse-bitmask'"
    ),
    (
      #"{"quant_method":"compressed-tensors","format":"int-quantized","transform_config":{"config_groups":{"R1":{}}}}"#,
      "compressed-tensors, with transforms"
    ),
    (
      #"{"quant_method":"compressed-tensors","format":"int-quantized","config_groups":{"g":{"format":"float-quantized"}}}"#,
      "compressed-tensors, format 'float-quantized'"
    ),
  ])
  func otherMethods(_ text: String, _ found: String) throws { #expect(try refused(text) == found) }

  @Test func writtenConfigurationIsRead() throws {
    #expect(
      try refused(String(decoding: QuantizationConfiguration.json(ignoring: ["a"]).serialized(), as: UTF8.self)) == nil)
  }
}
