import Foundation
import Testing

@testable import Model
@testable import Tensor

/// Compares hidden states, logits and probabilities with torch in float64 (transformers' DistilBertForMaskedLM).
@Suite struct NetworkForwardTests {
  @Test(arguments: 0..<4)
  func referenceBatches(_ number: Int) throws {
    try check(
      try #require(Reference.url("forward/micro_\(number).safetensors")),
      try ReferenceModel.network(try #require(Reference.url("micro"))))
  }

  /// Checks the hidden states after every layer and the logits, for every row without padding and every way to compute
  /// them.
  private func check(_ url: URL, _ network: Network) throws {
    let file = try Safetensors(path: url.path)
    let ids = try #require(file["input_ids"])
    let length = ids.shape[1]
    let mask = try #require(file["attention_mask"]?.integers())
    let samples = try ReferenceModel.samples(file, ids: "input_ids", mask: "attention_mask")
    let vocabulary = network.configuration.vocabularySize
    for (threads, alignment) in [(1, 1), (2, 1), (2, 12), (3, 12)] {
      let context = Context(pool: WorkerPool(threads: threads))
      let batch = Batch(samples, alignment: alignment)
      var states: [[Float]] = []
      let last = network.backbone.predict(batch, allRows: true, context) { states.append(ReferenceModel.array($0)) }
      let n = network.head.forward(last, context).n
      let logits = context.matrix(n.rows, vocabulary)
      network.head.project(n, into: logits, context)
      states.append(ReferenceModel.array(logits))
      let names = (0...network.configuration.numLayers).map { "hidden_states.\($0)" } + ["logits"]
      for (name, state) in zip(names, states) {
        let expected = try #require(file[name]).floats()
        let width = name == "logits" ? vocabulary : network.configuration.hiddenDim
        var worst: Float = 0
        for (index, sample) in samples.enumerated() {
          let real = (0..<length).filter { mask[index * length + $0] == 1 }
          #expect(real.count == sample.tokenIDs.count)
          for (offset, position) in real.enumerated() {
            let row = batch.tokens.starts[index] + offset
            worst = max(
              worst,
              largestDifference(
                Array(state[row * width..<(row + 1) * width]),
                Array(expected[(index * length + position) * width..<(index * length + position + 1) * width])))
          }
        }
        #expect(worst < 2e-5, "\(name) with \(threads) threads, alignment \(alignment)")
      }
      try checkMasked(file, network, samples, batch, context)
    }
  }

  /// Checks only the masked rows (last layer and head on the needed rows), with both epsilons.
  private func checkMasked(
    _ file: Safetensors, _ network: Network, _ samples: [Sample], _ batch: Batch, _ context: Context
  ) throws {
    let weights = try #require(file["mask_weights"]).floats()
    let expected = try #require(file["masked_logits_head_eps_1e-12"]).floats()
    let (slots, vocabulary) = (samples[0].slots, network.configuration.vocabularySize)
    var worst: Float = 0
    try network.forEachLogits(batch, context) { rows, logits in
      for sample in samples.indices {
        let positions = try #require(file["mask_positions"]?.integers())
        let used = (0..<slots).filter {
          let position = Int32(positions[sample * slots + $0])
          return weights[sample * slots + $0] != 0 && samples[sample].positionIDs.contains(position)
        }
        for (offset, slot) in used.enumerated() {
          let row = batch.masks.starts[sample] + offset
          guard rows.contains(row) else { continue }
          let start = (sample * slots + slot) * vocabulary
          let mine = (0..<vocabulary).map { logits[row - rows.lowerBound][$0] }
          worst = max(worst, largestDifference(mine, Array(expected[start..<start + vocabulary])))
        }
      }
    }
    #expect(worst < 2e-5)
  }

  /// A trained model: the twenty best candidates at each mask, with logits and probabilities, for sequences up to the
  /// maximum length.
  @Test(arguments: 0..<3)
  func trainedModel(_ number: Int) throws {
    let network = try ReferenceModel.network(try #require(Reference.trainedModel))
    let data = try Data(contentsOf: try #require(Reference.url("forward/tiny_\(number).json")))
    let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let file = try Safetensors(path: try #require(Reference.url("forward/tiny_\(number).safetensors")).path)
    var samples = try ReferenceModel.samples(file, ids: "input_ids", mask: "attention_mask", positions: nil)
    let cases = try #require(json["cases"] as? [[String: Any]])
    for example in cases {
      samples[example["row"] as! Int].maskPositions.append(Int32(example["position"] as! Int))
      samples[example["row"] as! Int].weights.append(1)
    }
    let context = Context(pool: WorkerPool(threads: 2))
    let batch = Batch.inference(samples)

    let stride = json["final_hidden_stride"] as! Int
    let hidden = network.backbone.predict(batch, allRows: true, context)
    let expectedHidden = try #require(file["final_hidden"])
    let (perRow, width, values) = (expectedHidden.shape[1], expectedHidden.shape[2], try expectedHidden.floats())
    for (index, sample) in samples.enumerated() {
      for token in Swift.stride(from: 0, to: sample.tokenIDs.count, by: stride) {
        let start = (index * perRow + token / stride) * width
        let mine = (0..<width).map { hidden[batch.tokens.starts[index] + token][$0] }
        #expect(largestDifference(mine, Array(values[start..<start + width])) < 2e-5)
      }
    }

    var found: [Int: [Float]] = [:]
    network.forEachLogits(batch, context) { rows, logits in
      for row in rows { found[row] = (0..<logits.columns).map { logits[row - rows.lowerBound][$0] } }
    }
    var next = [Int](repeating: 0, count: samples.count)
    for example in cases {
      let sample = example["row"] as! Int
      var logits = try #require(found[batch.masks.starts[sample] + next[sample]])
      next[sample] += 1
      let (ids, expected) = (example["top_ids"] as! [Int], example["logits"] as! [Double])
      let probabilities = example["probabilities"] as! [Double]
      let best = Ranking.best(20, of: &logits, logits.count)
      for rank in 0..<20 {
        let id = best[rank].token
        #expect(id == ids[rank] || abs(expected[rank] - Double(logits[id])) < 2e-4)
        #expect(abs(Double(logits[ids[rank]]) - expected[rank]) < 1e-4)
        #expect(abs(Double(best[rank].probability) - probabilities[rank]) < 1e-5)
      }
    }
  }
}
