import Foundation
import TestSupport
import Testing

@testable import Model
@testable import Tensor

/// Agreement with float32 on text: the built-in preset, and the same model with activations far above the others, as
/// large models have them.
@Suite struct ReducedSchemeTests {
  /// Lines in which every seventh word is masked.
  private static let lines: [String] = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../..")
    let path = root.appendingPathComponent("Scripts/demo-text/validation.txt")
    let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
    let lines = text.split(separator: "\n").filter { $0.utf8.count > 200 && $0.utf8.count < 600 }.prefix(30)
    return lines.map { line in
      line.split(separator: " ").enumerated().map { $0 % 7 == 3 ? "[MASK]" : String($1) }.joined(separator: " ")
    }
  }()

  /// The first answer at every mask.
  private func answers(_ preset: String, _ precision: Precision) throws -> [Int] {
    let model = try DistilBertMaskedLM.fromPreset(preset, precision: precision, threads: 2)
    return try model.predict(Self.lines, topK: 1).flatMap { $0.masks.flatMap { $0.map { $0.tokens[0] } } }
  }

  private func agreement(_ preset: String, _ precision: Precision, _ expected: [Int]) throws -> Double {
    let found = try answers(preset, precision)
    #expect(found.count == expected.count && found.count > 200)
    return Double(zip(found, expected).count { $0 == $1 }) / Double(found.count)
  }

  @Test func builtInPreset() throws {
    let name = "distil_bert_tiny_en_uncased"
    let expected = try answers(name, .float32)
    #expect(try agreement(name, .int8, expected) >= 0.975)
    #expect(try agreement(name, .bfloat16, expected) >= 0.989)
    let model = try DistilBertMaskedLM.fromPreset(name, threads: 2)
    #expect(ReducedScheme(model.network, on: model.compute.pool).exactColumns().isEmpty)
  }

  /// Four columns of every norm's output, and inner units of the feed-forward blocks, are 50 times the median. The
  /// function of the model stays the same.
  @Test func columnsFarAboveTheOthers() throws {
    let folder = try TemporaryFolder()
    let model = try DistilBertMaskedLM.fromPreset("distil_bert_tiny_en_uncased", threads: 2)
    let (outliers, columns) = try OutlierModel.make(of: model)
    try outliers.save(to: folder.path + "/a")
    let found = ReducedScheme(outliers.network, on: outliers.compute.pool).exactColumns()
    let layer = ParameterTable.Module.layer(1)
    for module in [layer.query, layer.key, layer.value, layer.first, ParameterTable.Module.transform] {
      #expect(found[module + ".weight"] == columns)
    }
    let inner = model.configuration.intermediateDim
    #expect(found[layer.second + ".weight"] == Array(inner..<inner + 2 * OutlierModel.units))
    #expect(found[layer.attentionOutput + ".weight"] == nil)

    let expected = try answers(folder.path + "/a", .float32)
    #expect(try agreement("distil_bert_tiny_en_uncased", .float32, expected) > 0.99)
    #expect(try agreement(folder.path + "/a", .int8, expected) >= 0.975)
    #expect(try agreement(folder.path + "/a", .bfloat16, expected) >= 0.989)
  }
}

/// A model with outliers in its activations, and the same function as another one up to rounding.
private enum OutlierModel {
  static let units = 8
  private static let factor: Float = 50

  /// Returns the model, and the outlying columns of the residual stream.
  ///
  /// Norms: the biases of some columns grow by ±50 times the median magnitude of a column. The biases of the products
  /// of their output, and that of the next block's result, make up for it. Feed-forward: pairs of equal inner units
  /// with a large bias and opposite weights in the second product.
  static func make(of model: DistilBertMaskedLM) throws -> (DistilBertMaskedLM, columns: [Int]) {
    var configuration = model.configuration
    let (width, inner) = (configuration.hiddenDim, configuration.intermediateDim)
    configuration.intermediateDim += 2 * units
    let result = try DistilBertMaskedLM(
      configuration: configuration, preprocessor: model.preprocessor, seed: model.seed, threads: model.threads)
    let parameters = result.network.parameters
    for parameter in parameters.parameters {
      let source = try #require(model.network.parameters[parameter.name])
      let (from, to) = (source.matrix, parameter.matrix)
      to.setToZero()
      for row in 0..<from.rows { to[row].update(from: from[row], count: from.columns) }
    }
    parameters.noteStep()

    func tensor(_ module: String, _ kind: String) throws -> Matrix { try #require(parameters[module + kind]).matrix }
    let columns = [3, 77, 130, width - 1]
    let count = configuration.numLayers
    for index in 0...2 * count {
      let layer = ParameterTable.Module.layer(min(index / 2, count - 1))
      let (norm, readers, adder): (String, [String], String?) =
        switch index {
        case 0: (ParameterTable.Module.embeddingNorm, [layer.query, layer.key, layer.value], layer.attentionOutput)
        case 2 * count: (layer.outputNorm, [ParameterTable.Module.transform], nil)
        case _ where index % 2 == 1: (layer.attentionNorm, [layer.first], layer.second)
        default:
          (
            ParameterTable.Module.layer(index / 2 - 1).outputNorm, [layer.query, layer.key, layer.value],
            layer.attentionOutput
          )
        }
      let (gain, bias) = (try tensor(norm, ".weight")[0], try tensor(norm, ".bias")[0])
      let sizes = (0..<width).map { (gain[$0] * gain[$0] + bias[$0] * bias[$0]).squareRoot() }.sorted()
      for (place, column) in columns.enumerated() {
        let shift = factor * sizes[width / 2] * (place % 2 == 0 ? 1 : -1)
        bias[column] += shift
        for reader in readers {
          let (weights, readerBias) = (try tensor(reader, ".weight"), try tensor(reader, ".bias")[0])
          for row in 0..<weights.rows { readerBias[row] -= weights[row][column] * shift }
        }
        if let adder { try tensor(adder, ".bias")[0][column] -= shift }
      }
    }
    for index in 0..<count {
      let layer = ParameterTable.Module.layer(index)
      let (first, bias, second) = (
        try tensor(layer.first, ".weight"), try tensor(layer.first, ".bias")[0], try tensor(layer.second, ".weight")
      )
      for unit in 0..<units {
        for (copy, sign) in [(inner + unit, Float(1)), (inner + units + unit, -1)] {
          first[copy].update(from: first[unit * 5], count: width)
          bias[copy] = bias[unit * 5] + 15
          for row in 0..<width { second[row][copy] = sign * second[row][unit * 11] }
        }
      }
    }
    return (result, columns)
  }
}
