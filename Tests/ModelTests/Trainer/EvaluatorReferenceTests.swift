import Foundation
import Testing

@testable import Model
@testable import Text

/// Compares losses and accuracies with KerasHub's `evaluate`.
@Suite struct EvaluatorReferenceTests {
  @Test func lossesOfTheBatches() throws {
    let batches = try Safetensors(path: try #require(Reference.url("train/batches.safetensors")).path)
    for epsilon in ["1e-5", "1e-12"] {
      let network = try ReferenceModel.network(
        try #require(Reference.url("micro")), headEpsilon: try #require(Float(epsilon)))
      let json = try JSONValue.parse(
        [UInt8](Data(contentsOf: try #require(Reference.url("train/losses_head_eps_\(epsilon).json")))))
      for example in try #require(json["cases"]?.array) {
        // "eval (as one batch)"
        let name = String(try #require(example["data"]?.string).prefix { $0 != " " })
        let source = SampleList(try ReferenceModel.samples(batches, name + "."))
        let evaluation = try Evaluator(network: network, compute: Compute(threads: 2)).evaluate(source)
        let expected = try #require(example["mean_over_masked_tokens"]?.double)
        #expect(abs(evaluation.loss - expected) < 1e-5, "\(name)")
        #expect(abs(evaluation.perplexity - exp(expected)) < 1e-4 * exp(expected))
        #expect(Double(evaluation.maskedTokens) == example["weight_sum"]?.double)
      }
    }
  }

  /// Half of the labels are correct; weights are binary, fractional or all zero.
  @Test func accuracies() throws {
    let json = try JSONValue.parse([UInt8](Data(contentsOf: try #require(Reference.url("train/accuracy.json")))))
    let file = try Safetensors(path: try #require(Reference.url("train/accuracy_data.safetensors")).path)
    let network = try ReferenceModel.network(try #require(Reference.url("micro")), headEpsilon: 1e-5)
    for example in try #require(json["cases"]?.array) {
      let name = try #require(example["weights"]?.string)
      let samples = try ReferenceModel.samples(file, weights: "weights.\(name)")
      let sums = try Evaluator(network: network, compute: Compute(threads: 2)).sampleSums(samples)
        .reduce(into: LossSums()) { $0 += $1 }
      let keras = try #require(example["keras_hub"])
      let accuracy = try #require(keras["sparse_categorical_accuracy"]?.double)
      // Keras returns 0 without tokens.
      #expect(sums.weight > 0 ? abs(sums.accuracy - accuracy) < 1e-6 : sums.accuracy.isNaN && accuracy == 0, "\(name)")
      let slots = Double(samples.reduce(0) { $0 + $1.slots })
      #expect(abs(sums.loss / slots - (try #require(keras["loss"]?.double))) < 1e-5, "\(name)")
    }
  }
}
