import TestSupport
import Testing

@testable import Model
@testable import Tensor

@Suite struct EncoderLayerTests {
  private func layer(_ bench: Bench, width: Int, heads: Int, inner: Int, rate: Float) throws -> EncoderLayer {
    EncoderLayer(
      attention: SelfAttention(
        query: try bench.dense(width, width), key: try bench.dense(width, width), value: try bench.dense(width, width),
        output: try bench.dense(width, width), heads: heads, dropout: Dropout(rate: rate, site: 1)),
      attentionDropout: Dropout(rate: rate, site: 2), attentionNorm: try bench.norm(width),
      feedForward: FeedForward(
        first: try bench.dense(inner, width), second: try bench.dense(width, inner),
        activation: ActivationFunction(kind: .gelu)),
      outputDropout: Dropout(rate: rate, site: 3), outputNorm: try bench.norm(width))
  }

  @Test(arguments: [false, true], [0, 0.3] as [Float])
  func backward(_ selects: Bool, _ rate: Float) throws {
    let batch = SelfAttentionTests.batch
    let key = DropoutKey(seed: 8, step: 2)
    let selected = selects ? (batch.maskedRows, batch.masks) : nil
    try Bench.run(threads: 2) { bench in
      let layer = try layer(bench, width: 6, heads: 2, inner: 11, rate: rate)
      let x = bench.matrix(batch.tokens.rowCount, 6, scale: 2)
      let y = bench.matrix(selected?.1.rowCount ?? x.rows, 6)
      let memory = layer.forward(x, batch.tokens, selected: selected, key, into: y, bench.context)
      let c = bench.matrix(y.rows, 6)
      let dx = bench.matrix(x.rows, 6)
      layer.backward(bench.copy(c), memory, batch.tokens, selected: selected, key, into: dx, bench.context)
      func loss() -> Double {
        bench.context.temporary {
          _ = layer.forward(x, batch.tokens, selected: selected, key, into: y, bench.context)
          return weighted(y, c)
        }
      }
      // Two norms on six numbers curve more within a step than single layers.
      let tolerance = 4e-3
      expectDifferences("x", of: x, are: dx, tolerance: tolerance, loss: loss)
      let attention = layer.attention
      for dense in [
        attention.query, attention.key, attention.value, attention.output, layer.feedForward.first,
        layer.feedForward.second,
      ] {
        try expectDifferences(of: dense.weight, tolerance: tolerance, loss: loss)
        try expectDifferences(of: dense.bias, tolerance: tolerance, loss: loss)
      }
      for norm in [layer.attentionNorm, layer.outputNorm] {
        try expectDifferences(of: norm.gain, tolerance: tolerance, loss: loss)
        try expectDifferences(of: norm.bias, tolerance: tolerance, loss: loss)
      }
    }
  }

  @Test(arguments: [0, 0.3] as [Float])
  func selectedRowsAreRowsOfAll(_ rate: Float) throws {
    let batch = SelfAttentionTests.batch
    let key = DropoutKey(seed: 8, step: 2)
    try Bench.run(threads: 2) { bench in
      let layer = try layer(bench, width: 10, heads: 2, inner: 20, rate: rate)
      let x = bench.matrix(batch.tokens.rowCount, 10)
      let (all, some) = (bench.matrix(x.rows, 10), bench.matrix(batch.maskedRows.count, 10))
      let kept = layer.forward(x, batch.tokens, selected: nil, key, into: all, bench.context)
      let keptSome = layer.forward(
        x, batch.tokens, selected: (batch.maskedRows, batch.masks), key, into: some, bench.context)
      let gathered = bench.matrix(some.rows, 10)
      Rows.gather(all, batch.maskedRows, into: gathered, on: .serial)
      #expect(largestDifference(some.array, gathered.array) < 1e-5)

      // A gradient that is zero in the other rows gives the same gradients either way.
      let dSome = bench.matrix(some.rows, 10)
      let dAll = bench.zeros(x.rows, 10)
      Rows.scatterAdd(dSome, batch.maskedRows, to: dAll, on: .serial)
      let (dx, dxSome) = (bench.matrix(x.rows, 10), bench.matrix(x.rows, 10))
      layer.backward(dAll, kept, batch.tokens, selected: nil, key, into: dx, bench.context)
      let gradient = try #require(layer.feedForward.first.weight.gradient).array
      layer.backward(
        dSome, keptSome, batch.tokens, selected: (batch.maskedRows, batch.masks), key, into: dxSome, bench.context)
      #expect(largestDifference(dx.array, dxSome.array) < 1e-5)
      let both = try #require(layer.feedForward.first.weight.gradient).array
      #expect(largestDifference(both, gradient.map { 2 * $0 }) < 1e-4)
    }
  }
}
