import Testing

@testable import Model
@testable import Tensor

@Suite struct ComputationSummaryTests {
  @Test func partsOfEachPrecision() throws {
    for (precision, encoder, head) in [
      (Precision.float32, Precision.float32, Precision.float32), (.bfloat16, .bfloat16, .bfloat16),
      (.int8, .int8, .bfloat16),
    ] {
      let summary = ComputationSummary(precision)
      #expect(
        summary.precision == precision && summary.parts.map(\.name) == ["encoder", "last_layer", "head", "attention"])
      #expect(summary.parts.map(\.format) == [encoder, head, head, .float32])
      let model = try DistilBertMaskedLM.fromPreset(SmallModel.micro, precision: precision, threads: 1)
      #expect(model.computation == summary)
      // What the model's weights say.
      let formats = try ["layer.0.ffn.lin1", "layer.2.ffn.lin1"].map {
        try #require(model.network.parameters["distilbert.transformer.\($0).weight"]).reduced?.format
      }
      #expect(formats == [precision.encoderFormat, precision.headFormat])
      #expect(model.network.head.output.reduced?.format == precision.headFormat)
    }
  }

  @Test func instructions() {
    let int8 = ComputationSummary(.int8).parts.map(\.instructions)
    #expect(["scalar", "avx2", "avx-vnni", "avx512-vnni", "amx-int8"].contains(int8[0]))
    #expect(["scalar", "avx2", "avx512", "avx512-bf16", "amx-bf16"].contains(int8[1]))
    #expect(["baseline", "avx2", "avx512"].contains(int8[3]))
    #expect(
      ["scalar", "avx2", "avx512", "avx512-bf16", "amx-bf16"].contains(
        ComputationSummary(.bfloat16).parts[0].instructions))
    #expect(int8[1] == int8[2] && int8[1] != "amx-bf16")
    #expect(ComputationSummary(.float32).parts.allSatisfy { $0.instructions == "OpenBLAS " + OpenBLAS.core })
  }

  /// Columns that stay float32 are named.
  @Test func exactColumns() throws {
    let configuration = Configuration(
      vocabularySize: 100, hiddenDim: 32, numLayers: 2, numHeads: 2, intermediateDim: 64, maxSequenceLength: 16)
    let pool = WorkerPool(threads: 1)
    let network = try Network(random: configuration, seed: 1, on: pool)
    let gain = try #require(network.parameters["distilbert.embeddings.LayerNorm.weight"])
    (gain.values[3], gain.values[20]) = (50, -50)
    network.reduce(to: .int8, on: pool)
    let names = ["q", "k", "v"].map { "layer.0.attention.\($0)_lin" }.joined(separator: ", ")
    #expect(ComputationSummary(network).notes.contains("2 of 32 columns of \(names) in float32: 3, 20"))
  }

  @Test func asText() {
    let summary = ComputationSummary(.int8)
    let names = summary.parts.map(\.instructions)
    #expect(
      "\(summary)" == "encoder int8 (\(names[0])), last layer bfloat16 (\(names[1])), head bfloat16 (\(names[2])), "
        + "attention float32 (\(names[3]))")
    #expect(ComputationSummary.notes(systemRefusesAMX: false).isEmpty)
    #expect(ComputationSummary.notes(systemRefusesAMX: true).count == 1)
  }
}
