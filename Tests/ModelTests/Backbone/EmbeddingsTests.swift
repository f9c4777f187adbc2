import TestSupport
import Testing

@testable import Model

@Suite struct EmbeddingsTests {
  /// Tokens and positions that occur twice, gaps in the positions.
  @Test(arguments: [5, 8, 18], [0, 0.3] as [Float])
  func backward(_ width: Int, _ rate: Float) throws {
    let batch = Batch([
      Sample(tokenIDs: [3, 1, 3, 0], positionIDs: [0, 2, 3, 5]), Sample(tokenIDs: [1]), Sample(tokenIDs: [6, 6]),
    ])
    let key = DropoutKey(seed: 4, step: 1)
    try Bench.run(threads: 3) { bench in
      let layer = Embeddings(
        token: try bench.embedding(7, width), position: try bench.embedding(6, width), norm: try bench.norm(width),
        dropout: Dropout(rate: rate, site: 1))
      let (y, c) = (bench.matrix(7, width), bench.matrix(7, width))
      let memory = layer.forward(batch, key, into: y, bench.context)
      layer.backward(bench.copy(c), memory, batch, key, bench.context)
      func loss() -> Double {
        bench.context.temporary {
          _ = layer.forward(batch, key, into: y, bench.context)
          return weighted(y, c)
        }
      }
      for parameter in [layer.token, layer.position, layer.norm.gain, layer.norm.bias] {
        try expectDifferences(of: parameter, tolerance: 4e-3, loss: loss)
      }
    }
  }
}
