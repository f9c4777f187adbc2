import Glibc
import Tensor

/// Which products of a model in reduced precision are computed in which format, and which columns of them stay float32.
/// Both follow from the weights alone, so an answer does not depend on other texts, and no calibration data is needed.
struct ReducedScheme {
  /// The matrices in int8: those of the encoder, without those of the last layer that multiply only masked rows.
  ///
  /// The products of masked rows take little time, but their errors change most answers. They are bfloat16, and so is
  /// the head. Share of first answers equal to float32's, on WikiText-2: all int8 95.3 % (embedded preset) and 95.7 %
  /// (BERT-tiny); with the head in bfloat16 97.6 % and 96.5 %; as it is here, with 7,134 masks, 98.6 % and 98.4 %.
  static func int8Matrices(_ configuration: Configuration) -> Set<String> {
    var names: Set<String> = []
    for index in 0..<configuration.numLayers {
      let layer = ParameterTable.Module.layer(index)
      names.formUnion([layer.key, layer.value])
      guard index < configuration.numLayers - 1 else { continue }
      names.formUnion([layer.query, layer.attentionOutput, layer.first, layer.second])
    }
    return Set(names.map { $0 + ".weight" })
  }

  /// A column stays float32 if its activations are this many times the median's: int8 rounds all numbers of a row to
  /// multiples of a share of the largest one, and the rounding errors of bfloat16 grow with the numbers. (Columns of 50
  /// times the median: without float32 columns 77 to 86 % equal first answers, with these columns in bfloat16 94 to
  /// 98 %.) The embedded preset and BERT-tiny have no such columns; between 4 and 10, the share is the same within
  /// 0.3 %.
  private static let threshold: Float = 10
  /// The most columns of a matrix that stay float32.
  private static let mostColumns = 64

  private let network: Network
  private let pool: WorkerPool

  init(_ network: Network, on pool: WorkerPool) { (self.network, self.pool) = (network, pool) }

  /// Returns the columns of each matrix that stay float32, by the matrix' name; none for most models, and none for a
  /// matrix whose weights are integers in its file: the digits that such a column needs are lost.
  func exactColumns() -> [String: [Int]] {
    var columns: [String: [Int]] = [:]
    func set(_ scores: @autoclosure () -> [Float], for matrices: [Parameter]) {
      let matrices = matrices.filter { !$0.isStoredInInt8 }
      guard !matrices.isEmpty, case let found = Self.columns(of: scores()), !found.isEmpty else { return }
      for matrix in matrices { columns[matrix.name] = found }
    }
    var input = network.backbone.embeddings.norm
    for layer in network.backbone.layers {
      let (attention, feedForward) = (layer.attention, layer.feedForward)
      set(Self.magnitudes(of: input), for: [attention.query, attention.key, attention.value].map(\.weight))
      set(
        magnitudes(of: attention.value, after: input) { ($0 * $0 + $1).squareRoot() }, for: [attention.output.weight])
      set(Self.magnitudes(of: layer.attentionNorm), for: [feedForward.first.weight])
      set(
        magnitudes(of: feedForward.first, after: layer.attentionNorm, Self.rootOfPositivePart),
        for: [feedForward.second.weight])
      input = layer.outputNorm
    }
    set(Self.magnitudes(of: input), for: [network.head.transform.weight])
    set(Self.magnitudes(of: network.head.norm), for: [network.head.output])
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
