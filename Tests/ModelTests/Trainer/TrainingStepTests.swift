import Foundation
import Testing

@testable import Model
@testable import Tensor
@testable import Text

/// Compares gradients and training runs with KerasHub and torch in float64.
@Suite struct TrainingStepTests {
  @Test(arguments: [1, 2, 3])
  func gradientsOfEveryParameter(threads: Int) throws {
    let network = try ReferenceModel.network(Golden.url("model/micro"), headEpsilon: 1e-5)
    let file = try Safetensors(path: try #require(Reference.url("train/batches.safetensors")).path)
    let gradients = try #require(Reference.url("train/gradients_head_eps_1e-5.safetensors"))
    let expected = try Safetensors(path: gradients.path)
    network.parameters.makeTrainable()
    let sums = network.addGradients(
      Batch(try ReferenceModel.samples(file, "batch0.")), lossFactor: 1 / 20, nil,
      Context(pool: WorkerPool(threads: threads)))
    #expect(abs(sums.loss / 20 - 3.144237236) < 2e-6)
    for parameter in network.parameters.parameters {
      let values = try #require(expected[parameter.name]).floats()
      let mine = ReferenceModel.array(try #require(parameter.gradient))
      let largest = values.reduce(0) { max($0, $1.magnitude) }
      let difference = largestDifference(mine, values)
      #expect(difference < 2e-6, "\(parameter.name)")
      // The true gradient of the keys' bias is zero, so no relative error is defined.
      if !parameter.name.hasSuffix("k_lin.bias") { #expect(difference < 1e-4 * largest, "\(parameter.name)") }
    }
  }

  @Test func everyParameterThatShouldGetsAGradient() throws {
    let network = try ReferenceModel.network(Golden.url("model/micro"))
    let file = try Safetensors(path: try #require(Reference.url("train/batches.safetensors")).path)
    network.parameters.makeTrainable()
    let batch = Batch(try ReferenceModel.samples(file, "batch0."))
    let context = Context(pool: WorkerPool(threads: 2))
    _ = network.addGradients(batch, lossFactor: 1, nil, context)
    for parameter in network.parameters.parameters {
      #expect(ReferenceModel.array(try #require(parameter.gradient)).contains { $0 != 0 }, "\(parameter.name)")
    }
    network.trainsBackbone = false
    network.parameters.clearGradients(on: context.pool)
    _ = network.addGradients(batch, lossFactor: 1, nil, context)
    network.parameters.clearStaleGradients(on: context.pool)
    let block = try #require(network.parameters.gradientBlock)
    for (row, parameter) in zip(network.table.rows, network.parameters.parameters) {
      let gradients = (0..<parameter.count).map { block[parameter.offset + $0] }
      #expect(gradients.contains { $0 != 0 } == !row.isBackbone, "\(parameter.name)")
    }
  }

  static let runs = [
    "keras_adam", "keras_adam_head_eps_1e-12", "keras_adam_global_clipnorm", "keras_adam_frozen_backbone",
    "keras_adamw",
    "torch_adamw", "torch_adamw_clip",
  ]

  @Test(arguments: runs)
  func parametersOfReferenceRuns(_ name: String) throws {
    let folder = try #require(Reference.url("train/\(name)"))
    let run = try JSONValue.parse([UInt8](Data(contentsOf: folder.appendingPathComponent("run.json"))))
    func number(_ key: String) -> Float { Float(run[key]?.double ?? 0) }
    let isTorch = run["optimizer"]?.string?.contains("torch") ?? false
    let network = try ReferenceModel.network(
      try #require(Reference.url("micro")), headEpsilon: number("head_layer_norm_epsilon"))
    let file = try Safetensors(path: try #require(Reference.url("train/batches.safetensors")).path)
    if run["frozen"]?.string != nil { network.trainsBackbone = false }
    let rate = number("learning_rate")
    let training = TrainingStep(
      network, Compute(threads: 2),
      .adamW(
        learningRate: rate, beta1: number("beta_1"), beta2: number("beta_2"), epsilon: number("epsilon"),
        weightDecay: number("weight_decay"), clipNorm: run["clip_global_norm"]?.double.map { Float($0) }),
      .sumOverBatchSize, seed: 0)
    let losses = try #require(run["losses"]?.array)
    let norms = try #require(run["gradient_norms"]?.array)
    for step in 1...20 {
      // torch adds ε after the bias correction of √v: Keras' formula with ε·√(1 − β2ᵗ).
      if isTorch {
        training.optimizer.epsilon = number("epsilon") * (1 - powf(number("beta_2"), Float(step))).squareRoot()
      }
      let samples = try ReferenceModel.samples(file, "batch\((step - 1) % 4).")
      let result = try training.run(samples, batchSize: 4, learningRate: rate)
      #expect(abs(result.sums.loss / 20 - losses[step - 1].double!) < 2e-5)
      let norm = norms[step - 1].double!
      #expect(abs(result.gradientNorm - norm) < 1e-4 * norm)
      guard let url = Reference.url("train/\(name)/step_\(step).safetensors") else {
        #expect(step < 20, "no parameters to compare with at the end")
        continue
      }
      let expected = try Safetensors(path: url.path)
      for parameter in network.parameters.parameters {
        guard let values = try expected[parameter.name]?.floats() else {
          #expect(!parameter.isTrainable)
          continue
        }
        // Adam scales up rounding noise here, without effect on the output.
        let tolerance = parameter.name.hasSuffix("k_lin.bias") ? Float(step) * rate : 1e-5
        #expect(largestDifference(ReferenceModel.array(parameter.matrix), values) < tolerance, "\(parameter.name)")
      }
    }
  }

  @Test func sixStepsOfTheTrainedModel() throws {
    let run = try JSONValue.parse([UInt8](Data(contentsOf: try #require(Reference.url("train/tiny_run.json")))))
    let network = try ReferenceModel.network(try #require(Reference.trainedModel), headEpsilon: 1e-5)
    // The run had no dropout.
    var configuration = network.configuration
    (configuration.dropout, configuration.attentionDropout) = (0, 0)
    let plain = try Network(configuration, network.parameters)
    let file = try Safetensors(path: try #require(Reference.url("train/tiny_batches.safetensors")).path)
    let training = TrainingStep(plain, Compute(threads: 2), .adam(), .sumOverBatchSize, seed: 0)
    for step in 1...6 {
      let samples = try ReferenceModel.samples(file, "batch\((step - 1) % 3).")
      let result = try training.run(samples, batchSize: 8, learningRate: 5e-5)
      #expect(abs(result.sums.loss / 48 - run["losses"]!.array![step - 1].double!) < 2e-5)
      guard let probes = run["parameters"]?["step_\(step)"]?.object else { continue }
      for (name, probe) in probes {
        let parameter = try #require(plain.parameters[name])
        for (index, value) in zip(probe["index"]!.array!, probe["value"]!.array!) {
          let tolerance = name.hasSuffix("k_lin.bias") ? Float(step) * 5e-5 : 1e-5
          #expect(abs(parameter.values[index.int!] - Float(value.double!)) < tolerance, "\(name)")
        }
      }
    }
  }
}
