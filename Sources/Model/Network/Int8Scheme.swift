import Glibc
import Tensor

/// Which products of a model in int8 are computed in int8, and which columns of them stay float32. Both follow from the
/// weights alone, so an answer does not depend on other texts, and no calibration data is needed.
struct Int8Scheme {
  /// The matrices in int8: those of the encoder, without those of the last layer that multiply only masked rows.
  ///
  /// The products of masked rows take little time, but their errors change most answers. They are bfloat16, and so is
  /// the head. Share of first answers equal to float32's, on WikiText-2: all int8 95.3 % (embedded preset) and 95.7 %
  /// (BERT-tiny); with the head in bfloat16 97.6 % and 96.5 %.
  static func matrices(_ configuration: Configuration) -> Set<String> {
    var names: Set<String> = []
    for index in 0..<configuration.numLayers {
      let layer = ParameterTable.Module.layer(index)
      names.formUnion([layer.key, layer.value])
      guard index < configuration.numLayers - 1 else { continue }
      names.formUnion([layer.query, layer.attentionOutput, layer.first, layer.second])
    }
    return Set(names.map { $0 + ".weight" })
  }

  /// A column stays float32 if its activations are this many times the median's: rounding to multiples of the largest
  /// number of a row / 127 would leave few values for all others. (Between 4 and 10, the share of equal first answers
  /// is the same within 0.3 %.)
  private static let threshold: Float = 6
  /// The most columns of a matrix that stay float32.
  private static let mostColumns = 64

  private let network: Network
  private let pool: WorkerPool

  init(_ network: Network, on pool: WorkerPool) { (self.network, self.pool) = (network, pool) }

  /// Returns the columns of each matrix in int8 that stay float32, by the matrix' name; none for most models, and none for
  /// a matrix whose weights are integers in its file: the digits that such a column needs are lost.
  func exactColumns() -> [String: [Int]] {
    let names = Self.matrices(network.configuration)
    var columns: [String: [Int]] = [:]
    func set(_ scores: @autoclosure () -> [Float], for layers: [Dense]) {
      let layers = layers.filter { names.contains($0.weight.name) && !$0.weight.isStoredInInt8 }
      guard !layers.isEmpty, case let found = Self.columns(of: scores()), !found.isEmpty else { return }
      for layer in layers { columns[layer.weight.name] = found }
    }
    var input = network.backbone.embeddings.norm
    for layer in network.backbone.layers {
      let attention = layer.attention
      set(Self.magnitudes(of: input), for: [attention.query, attention.key, attention.value])
      set(magnitudes(of: attention.value, after: input) { ($0 * $0 + $1).squareRoot() }, for: [attention.output])
      set(Self.magnitudes(of: layer.attentionNorm), for: [layer.feedForward.first])
      set(
        magnitudes(of: layer.feedForward.first, after: layer.attentionNorm, Self.rootOfPositivePart),
        for: [layer.feedForward.second])
      input = layer.outputNorm
    }
    return columns
  }

  /// Returns the columns whose activations have far larger sizes than the median.
  private static func columns(of scores: [Float]) -> [Int] {
    let sorted = scores.sorted()
    guard let median = scores.isEmpty ? nil : sorted[sorted.count / 2], median > 0 else { return [] }
    let above = scores.indices.filter { scores[$0] > threshold * median }
    if above.count <= mostColumns { return above }
    return above.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }.prefix(mostColumns).sorted()
  }

  /// The root mean square of each column of a norm's output, whose input has mean 0 and variance 1.
  private static func magnitudes(of norm: LayerNorm) -> [Float] {
    let (gain, bias) = (norm.gain.values, norm.bias.values)
    return (0..<norm.gain.count).map { (gain[$0] * gain[$0] + bias[$0] * bias[$0]).squareRoot() }
  }

  /// The size of each output of a dense layer of a norm's output, computed from its mean and variance, as if the norm's
  /// columns were independent.
  private func magnitudes(
    of layer: Dense, after norm: LayerNorm, _ size: (_ mean: Float, _ variance: Float) -> Float
  ) -> [Float] {
    let (gain, bias, columns) = (norm.gain.values, norm.bias.values, norm.gain.count)
    var sizes = [Float](repeating: 0, count: layer.bias.count)
    sizes.withUnsafeMutableBufferPointer { sizes in
      nonisolated(unsafe) let sizes = sizes
      layer.weight.forEachRow(on: pool) { row, weights in
        let (sum, variance) = Elementwise.weightedSums(weights, linear: bias, square: gain, columns)
        sizes[row] = size(sum + layer.bias.values[row], variance)
      }
    }
    return sizes
  }

  /// √E max(z, 0)² for a normally distributed z, close to √E gelu(z)².
  private static func rootOfPositivePart(mean: Float, variance: Float) -> Float {
    let (mean, variance) = (Double(mean), Double(variance))
    guard variance > 0 else { return Float(max(mean, 0)) }
    let t = mean / variance.squareRoot()
    let (below, density) = (0.5 * erfc(-t / 2.0.squareRoot()), exp(-t * t / 2) * 0.3989422804014327)
    return Float(max(0, (mean * mean + variance) * below + mean * variance.squareRoot() * density).squareRoot())
  }
}
