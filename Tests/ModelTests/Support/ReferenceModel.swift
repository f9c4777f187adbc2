import Foundation

@testable import Model
@testable import Tensor

/// Models and batches of the reference data for the network.
enum ReferenceModel {
  static func network(_ directory: URL, headEpsilon: Float = 1e-12) throws -> Network {
    let directory = try ModelDirectory.open(directory.path)
    var configuration = directory.configuration
    configuration.headLayerNormEpsilon = headEpsilon
    return try Network(configuration, directory.weights!, seed: 0, on: .serial)
  }

  /// Returns the rows of a padded batch: ids and mask are rows × length, positions and weights rows × slots.
  static func samples(
    _ file: Safetensors, _ prefix: String = "", ids: String = "token_ids", mask: String = "padding_mask",
    positions: String? = "mask_positions", weights: String = "mask_weights"
  ) throws -> [Sample] {
    let ids = file[prefix + ids]!
    let (rows, length) = (ids.shape[0], ids.shape[1])
    let (idValues, maskValues) = (ids.integers()!, file[prefix + mask]!.integers()!)
    let slots = positions.flatMap { file[prefix + $0] }?.shape[1] ?? 0
    let positionValues = positions.flatMap { file[prefix + $0]?.integers() } ?? []
    let weightValues = try file[prefix + weights]?.floats() ?? [Float](repeating: 1, count: rows * slots)
    let labels = file[prefix + "labels"]?.integers()
    return (0..<rows).map { row in
      let real = (0..<length).filter { maskValues[row * length + $0] == 1 }
      // A position on padding can have a weight in the forward data; it is not a valid input here.
      let used = (0..<slots).filter {
        weightValues[row * slots + $0] != 0 && real.contains(positionValues[row * slots + $0])
      }
      return Sample(
        tokenIDs: real.map { Int32(idValues[row * length + $0]) }, positionIDs: real.map { Int32($0) },
        maskPositions: used.map { slot in Int32(real.firstIndex(of: positionValues[row * slots + slot])!) },
        labels: labels.map { labels in used.map { Int32(labels[row * slots + $0]) } } ?? [],
        weights: used.map { weightValues[row * slots + $0] }, slots: slots)
    }
  }

  static func array(_ matrix: Matrix) -> [Float] {
    (0..<matrix.rows).flatMap { row in (0..<matrix.columns).map { matrix[row][$0] } }
  }
}

/// Returns the largest difference between two lists of numbers.
func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
  a.count == b.count ? zip(a, b).reduce(0) { max($0, ($1.0 - $1.1).magnitude) } : .infinity
}
